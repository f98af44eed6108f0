/** What a user's scheduler task sees of the scheduler. */
export interface SchedulerView {
  /** Evaluates an expression, or a nested value that holds some, under the calling job. */
  evaluate<T>(value: T): Promise<unknown>;
  /** The context of the calling job. */
  readonly context: Readonly<Record<string, unknown>>;
}

/** The function of a user's scheduler task. */
export type UserSchedulerFunction = (scheduler: SchedulerView, ...args: readonly unknown[]) => unknown;

/** The functions of the scheduler tasks that users define in this runtime, by fullname. */
export const userSchedulerFunctions: Map<string, UserSchedulerFunction> = new Map();
