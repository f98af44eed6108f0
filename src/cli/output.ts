import { writeSync } from "node:fs";
import { terminalText } from "./text.ts";

export const LEVELS = ["DEBUG", "INFO", "WARN", "ERROR"] as const;
export type Level = (typeof LEVELS)[number];

const PREFIX = "[redun] ";
/** Lines wait this many milliseconds, so that thousands of them cost few writes. */
const DELAY = 40;
const MAX_BUFFERED = 64 * 1024;

/** What is drawn below the log lines and must make way for them. */
export interface LiveArea {
  clear(): void;
  draw(): void;
}

/**
 * The two streams of the command: results go to stdout at once, log lines go to stderr in groups. Owns the order
 * between log lines, results and the live area, which never mix on a terminal.
 */
export class Output {
  level: Level = "INFO";
  live: LiveArea | undefined = undefined;
  private lines = "";
  private timer: ReturnType<typeof setTimeout> | undefined = undefined;
  private readonly pageTo: ((text: string) => void)[] = [];

  constructor() {
    for (const stream of [process.stdout, process.stderr]) {
      stream.on("error", (error: NodeJS.ErrnoException) => {
        // Whoever read the output has seen enough.
        if (error.code === "EPIPE") process.exit(process.exitCode ?? 0);
        throw error;
      });
    }
    process.on("exit", () => this.flush(true));
  }

  isOn(level: Level): boolean {
    return LEVELS.indexOf(level) >= LEVELS.indexOf(this.level);
  }

  /** Writes a result and a line end to stdout, or to the pager. */
  print(text: string): void {
    this.write(`${text}\n`);
  }

  /** Writes to stdout: bytes as they are, and text so that it does a terminal no harm. */
  write(data: string | Uint8Array): void {
    this.flush();
    const text = typeof data === "string" && process.stdout.isTTY ? terminalText(data) : data;
    const pager = this.pageTo.at(-1);
    if (pager !== undefined && typeof text === "string") pager(text);
    else process.stdout.write(text);
  }

  /** Sends what is printed to a pager until the returned function is called. */
  redirect(write: (text: string) => void): () => void {
    this.pageTo.push(write);
    return () => void this.pageTo.pop();
  }

  /** Writes a message to stderr, each of its lines with the prefix. */
  log(message: string, level: Level = "INFO"): void {
    if (!this.isOn(level)) return;
    const text = terminalText(message);
    this.lines += text.includes("\n") ? prefixed(text) : `${PREFIX}${text}\n`;
    if (this.lines.length > MAX_BUFFERED) this.flush();
    else if (this.timer === undefined) {
      this.timer = setTimeout(() => this.flush(), DELAY);
      this.timer.unref?.();
    }
  }

  /** Writes the lines that wait. At the process's end only synchronous writes still work. */
  flush(ending = false): void {
    if (this.timer !== undefined) clearTimeout(this.timer);
    this.timer = undefined;
    if (this.lines === "") return;
    const { lines } = this;
    this.lines = "";
    this.live?.clear();
    if (ending) writeAll(lines);
    else process.stderr.write(lines);
    this.live?.draw();
  }
}

function prefixed(text: string): string {
  return `${text
    .split("\n")
    .map((line) => PREFIX + line)
    .join("\n")}\n`;
}

function writeAll(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads any more.
  }
}

/** Resolves when everything written to stdout and stderr has left the process. */
export async function drained(): Promise<void> {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
}
