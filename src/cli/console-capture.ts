import { Console } from "node:console";
import { Writable } from "node:stream";
import type { Output } from "./output.ts";

/** Sends what a workflow prints to the log, since stdout is for the result. @returns what ends it */
export function captureConsole(output: Output): () => void {
  const stream = new Writable({
    decodeStrings: false,
    write(text: string | Buffer, _encoding, done) {
      // However quiet the log is to be, what the user's own code prints is wanted.
      output.log(text.toString().replace(/\n$/, ""), "ERROR");
      done();
    },
  });
  const { console: original } = globalThis;
  globalThis.console = new Console({ stdout: stream, stderr: stream });
  return () => {
    globalThis.console = original;
  };
}
