import { format } from "node:util";
import { captureConsole } from "./capture-console.ts";
import { Lines } from "./lines.ts";
import { type CapturedOutput, paceOutput } from "./output-pace.ts";

/** Hands what is printed to a listener in place of the streams, some lines at a time. */
export function captureOutput(listener: (lines: readonly string[]) => void): CapturedOutput {
  const paced = paceOutput(listener);
  const captured = captureStreams(paced.line);
  const flush = (): void => {
    captured.flush();
    paced.flush();
  };
  process.on("exit", flush);
  return { line: paced.line, flush };
}

/**
 * Hands each line that is printed to a listener in place of the streams, while the code that prints it runs.
 *
 * @returns what hands over the line that has not ended
 */
export function captureStreams(line: (line: string) => void): { flush(): void } {
  const all: Lines[] = [];
  for (const stream of [process.stdout, process.stderr]) {
    const lines = new Lines(line);
    all.push(lines);
    stream.write = ((chunk: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      lines.add(chunk);
      const done = typeof encoding === "function" ? encoding : callback;
      if (typeof done === "function") queueMicrotask(() => (done as () => void)());
      return true;
    }) as typeof stream.write;
  }
  // Deno's console does not write through the streams of `process`.
  if ("Deno" in globalThis) captureConsole(line, format);
  return {
    flush() {
      for (const lines of all) lines.end();
    },
  };
}
