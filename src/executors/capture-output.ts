import { clearTimeout, setTimeout } from "node:timers";
import { format } from "node:util";
import { Lines } from "./lines.ts";

/** What this runtime prints, in hand. */
export interface CapturedOutput {
  /** Adds a line of its own. */
  line(line: string): void;
  /** Hands over what there is, half a line included. */
  flush(): void;
}

/** Lines go out at once, or if there were some a moment ago, together after so many milliseconds. */
const PAUSE = 50;
const MANY = 100;

/** Hands what is printed to a listener in place of the streams, some lines at a time. */
export function captureOutput(listener: (lines: readonly string[]) => void): CapturedOutput {
  const pending: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let last = 0;
  const hand = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    last = Date.now();
    listener(pending.splice(0));
  };
  const line = (text: string): void => {
    pending.push(text);
    // A job that computes keeps timers waiting, so the clock is asked as well.
    if (pending.length >= MANY || Date.now() - last > PAUSE) hand();
    else timer ??= setTimeout(hand, PAUSE).unref();
  };
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
  if ("Deno" in globalThis) captureConsole(line);
  const flush = (): void => {
    for (const lines of all) lines.end();
    hand();
  };
  process.on("exit", flush);
  return { line, flush };
}

/** Deno's console does not write through the streams of `process`. */
function captureConsole(line: (text: string) => void): void {
  for (const method of ["debug", "log", "info", "warn", "error"] as const) {
    console[method] = (...args: unknown[]) => {
      for (const text of format(...args).split("\n")) line(text);
    };
  }
}
