import { EXIT } from "./client-error.ts";
import type { Output } from "./output.ts";

/** What may end a run before its time. */
export interface Interruption {
  readonly signal: AbortSignal;
  /** The calls that were still at work when nothing was left that could make them go on. */
  readonly stalled: readonly string[] | undefined;
  /** What code that no job waits for has thrown, such as a timer's callback. */
  readonly stray: { readonly error: unknown } | undefined;
  stop(): void;
}

/**
 * Watches for what should end a run early: Ctrl-C, a second of which ends the process, an event loop that has run
 * empty, after which no promise can settle any more, and errors that no job would tell of.
 *
 * @param running - the calls at work
 */
export function watchInterruption(output: Output, running: () => readonly string[]): Interruption {
  const controller = new AbortController();
  let stalled: readonly string[] | undefined;
  const stall = (): void => {
    if (controller.signal.aborted) return;
    stalled = running();
    controller.abort(new Error("Nothing is left to wait for"));
  };
  let stray: Interruption["stray"];
  const astray = (error: unknown): void => {
    stray ??= { error };
    controller.abort(error);
  };
  const handle = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) {
      output.flush(true);
      process.exit(EXIT.interrupted);
    }
    output.log("Interrupted. Ending the running jobs; press Ctrl-C again to quit at once.", "WARN");
    output.flush();
    controller.abort(new Error(`Received ${name}`));
  };
  process.on("SIGINT", handle);
  process.on("SIGTERM", handle);
  process.on("beforeExit", stall);
  process.on("uncaughtException", astray);
  return {
    signal: controller.signal,
    get stalled() {
      return stalled;
    },
    get stray() {
      return stray;
    },
    stop() {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
      process.off("beforeExit", stall);
      process.off("uncaughtException", astray);
    },
  };
}
