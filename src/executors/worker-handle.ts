import type { ExecutorError } from "../errors/errors.ts";
import type { NewTickets } from "./tickets.ts";
import type { FromWorker, ToWorker } from "./worker-messages.ts";

/** What a pool hears of a worker. */
export interface WorkerListener {
  message(message: FromWorker): void;
  /** What was written past the worker's own capture, such as by native code or when it crashes. */
  output(chunk: Uint8Array): void;
  /** The worker is about to end, and is to get no more jobs. @param then - to be called when it may end */
  ending(then: () => void): void;
  /** Comes once and last: the worker has ended, and how. */
  ended(reason: string): void;
  /** Comes in place of {@link ended} for a worker that could not begin, as others of its kind could not. */
  neverStarted(error: (task: string) => ExecutorError): void;
}

/** A worker as its pool sees it, whatever kind it is of. */
export interface WorkerHandle {
  /** @throws if the message can't be sent */
  send(message: ToWorker): void;
  /** Ends it, with all that it has started if it is a process. */
  kill(): void;
  /** Whether this process is to stay alive for it. */
  hold(on: boolean): void;
}

/** What a worker is, such as a process or a thread, and how one is had. */
export interface WorkerKind {
  /** As messages name it. */
  readonly name: string;
  /** What may have ended a worker that ends in the middle of a job. */
  readonly hint: string;
  start(listener: WorkerListener): WorkerHandle;
  /** Tickets that both this side and such a worker reach, if there can be any, or leases in their place. */
  makeTickets(): NewTickets | "lease" | undefined | Promise<NewTickets | undefined>;
}
