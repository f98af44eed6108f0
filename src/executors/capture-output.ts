import { format } from "node:util";
import { captureConsole } from "./capture-console.ts";
import { Lines } from "./lines.ts";
import { type CapturedOutput, paceOutput } from "./output-pace.ts";

/** Hands what is printed to a listener in place of the streams, some lines at a time. */
export function captureOutput(listener: (lines: readonly string[]) => void): CapturedOutput {
  const paced = paceOutput(listener);
  const all: Lines[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const lines = new Lines(paced.line);
    all.push(lines);
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      lines.add(chunk);
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => (done as () => void)());
      return true;
    }) as typeof stream.write;
  }
  // Deno's console does not write through the streams of `process`.
  if ("Deno" in globalThis) captureConsole(paced.line, format);
  const flush = (): void => {
    for (const lines of all) lines.end();
    paced.flush();
  };
  process.on("exit", flush);
  return { line: paced.line, flush };
}
