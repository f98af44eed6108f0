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

/** Lines go out at once, but after so many in so many milliseconds some at a time. */
const MANY = 50;
const PAUSE = 50;

/** Hands what is printed to a listener in place of the streams, some lines at a time. */
export function captureOutput(listener: (lines: readonly string[]) => void): CapturedOutput {
  const pending: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let since = 0;
  let sent = 0;
  const hand = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    sent++;
    listener(pending.splice(0));
  };
  const line = (text: string): void => {
    pending.push(text);
    // A job that computes keeps timers waiting, so the clock is asked as well.
    const now = Date.now();
    if (now - since > PAUSE) {
      since = now;
      sent = 0;
    }
    if (sent < MANY || pending.length >= MANY) hand();
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
