import { EXIT } from "./client-error.ts";
import type { Output } from "./output.ts";

/** Ctrl-C ends the run in order; a second one ends the process. */
export function onInterrupt(output: Output): { readonly signal: AbortSignal; stop(): void } {
  const controller = new AbortController();
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
  return {
    signal: controller.signal,
    stop() {
      process.off("SIGINT", handle);
      process.off("SIGTERM", handle);
    },
  };
}
