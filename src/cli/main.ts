import { ENGINE } from "../package/local-copy.ts";
import { hideFrames } from "../scheduler/traceback.ts";
import { EXIT } from "./client-error.ts";
import { drained, Output } from "./output.ts";
import { runProgram } from "./program.ts";
import { reportError } from "./report.ts";

async function main(argv: readonly string[]): Promise<number> {
  const output = new Output();
  hideFrames(ENGINE);
  process.on("uncaughtException", (error) => {
    // A run has a better use for it.
    if (process.listenerCount("uncaughtException") > 1) return;
    const code = reportError(error, output);
    output.flush(true);
    process.exit(code);
  });
  try {
    await runProgram(argv, output);
    return EXIT.done;
  } catch (error) {
    return reportError(error, output);
  } finally {
    output.flush();
    await drained();
  }
}

// A workflow may leave timers and connections behind, which must not keep the command from ending.
void main(process.argv.slice(2)).then((code) => process.exit(code));
