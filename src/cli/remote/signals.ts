import { createInterface } from "node:readline";
import type { Output } from "../output.ts";

/** What the user wants of a run on a server that this command follows. */
export type Wish = "cancel" | "detach";

/** Options of {@link watchSignals}. */
export interface SignalOptions {
  readonly output: Output;
  /** Whether somebody is there to be asked. */
  readonly isTerminal: boolean;
  /** Told when the question is asked, and when it is answered, between which nothing else must be written. */
  readonly onAsking: (asking: boolean) => void;
  readonly onWish: (wish: Wish) => void;
}

const QUESTION = "[redun] Cancel the execution, or detach and let it go on? [c/d] ";

/**
 * Watches for signals while a run on a server is followed. Ctrl-C asks at a terminal what is meant, and a second one
 * detaches; elsewhere the first cancels, as it ends a run here, and the second detaches. What ends the process for its
 * own sake (SIGTERM, or SIGHUP of a terminal that is closed) detaches: the run is not of this machine.
 *
 * @returns what ends the watch
 */
export function watchSignals({ output, isTerminal, onAsking, onWish }: SignalOptions): () => void {
  let wished = false;
  let stopAsking: (() => void) | undefined;
  const wish = (what: Wish): void => {
    stopAsking?.();
    stopAsking = undefined;
    wished = true;
    onWish(what);
  };
  const interrupt = (): void => {
    if (wished || stopAsking !== undefined) {
      if (stopAsking !== undefined) process.stderr.write("\n");
      wish("detach");
    } else if (!isTerminal) wish("cancel");
    else {
      onAsking(true);
      output.flush();
      const stop = ask((answer) => wish(answer));
      stopAsking = () => {
        stop();
        onAsking(false);
      };
    }
  };
  const leave = (): void => wish("detach");
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", leave);
  process.on("SIGHUP", leave);
  return () => {
    stopAsking?.();
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", leave);
    process.off("SIGHUP", leave);
  };
}

/** Asks until there is an answer. The end of the input means to detach. @returns what stops asking */
function ask(onAnswer: (wish: Wish) => void): () => void {
  const lines = createInterface({ input: process.stdin, terminal: false });
  let done = false;
  process.stderr.write(QUESTION);
  const answer = (what: Wish): void => {
    if (done) return;
    done = true;
    onAnswer(what);
  };
  lines.on("line", (line) => {
    const word = line.trim().toLowerCase();
    if (word !== "" && "cancel".startsWith(word)) answer("cancel");
    else if (word !== "" && "detach".startsWith(word)) answer("detach");
    else process.stderr.write(QUESTION);
  });
  lines.on("close", () => answer("detach"));
  return () => {
    done = true;
    lines.close();
    process.stdin.pause();
  };
}
