import type { Scheduler } from "../scheduler/scheduler.ts";

/** What tells how a run goes: the scheduler itself, or what follows one on a server. */
export type RunSource = Pick<Scheduler, "on" | "status">;
