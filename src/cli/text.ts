import type { ExecutionStatus, JobStatus } from "../backend/records.ts";

const two = (n: number): string => String(n).padStart(2, "0");

/** `YYYY-MM-DD HH:MM:SS` in local time. */
export function localTime(time: number | null, separator = "-"): string {
  if (time === null) return "(no time)";
  const date = new Date(time);
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join(separator);
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

/** `H:MM:SS.cc` of a number of milliseconds. */
export function duration(milliseconds: number): string {
  const hundredths = Math.round(Math.max(0, milliseconds) / 10);
  const seconds = Math.floor(hundredths / 100);
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}.${two(hundredths % 100)}`;
}

/** The status in brackets, centred in six characters. */
export function statusText(status: JobStatus | ExecutionStatus): string {
  const text = status === "RUNNING" ? "RUN " : status;
  const left = Math.floor((6 - text.length) / 2);
  return `[${" ".repeat(Math.max(0, left))}${text}${" ".repeat(Math.max(0, 6 - text.length - left))}]`;
}

/**
 * The eight digits by which people call a record. The first digits of a time-ordered UUID are the same for all
 * records of a minute, so for one of those they are the last.
 */
export function shortId(id: string): string {
  return isTimeOrdered(id) ? id.slice(-8) : id.slice(0, 8);
}

function isTimeOrdered(id: string): boolean {
  return id.length === 36 && id[14] === "7";
}

/** A word as a POSIX shell reads it. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'"'"'`)}'`;
}

/** A command line without its program. */
export function commandLine(args: readonly string[]): string {
  return args.slice(1).map(shellQuote).join(" ");
}

/** Every line of a text moved to the right. */
export function indent(text: string, by: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? line : by + line))
    .join("\n");
}

/** `1 job`, `2 jobs`. */
export function plural(count: number, noun: string): string {
  return `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;
}

/** What follows an escape character in a sequence that sets a colour or the like. */
const COLOR = /^\[[\d;:]*m/;

/**
 * A text as a terminal may show it, wherever it comes from: it has colours, but nothing that moves the cursor, sets the
 * title, or asks the terminal for something. A carriage return has what follows it in the place of the line.
 */
export function terminalText(text: string): string {
  return text
    .replace(/\r+$/gm, "")
    .replace(/^.*\r/gm, "")
    .replace(/(?![\n\t])\p{Cc}/gu, (char, at: number, whole: string) =>
      char === "\u001b" && COLOR.test(whole.slice(at + 1, at + 40))
        ? char
        : `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
}
