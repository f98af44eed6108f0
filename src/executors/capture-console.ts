import { display } from "../value/display.ts";

/** Hands what the console is given to a listener, line by line. */
export function captureConsole(
  line: (text: string) => void,
  format: (...args: readonly unknown[]) => string = formatMessage,
): void {
  for (const method of ["debug", "log", "info", "warn", "error"] as const) {
    console[method] = (...args: unknown[]) => {
      for (const text of format(...args).split("\n")) line(text);
    };
  }
}

/** The longest text of a value that is not a string, in characters. */
const LONGEST = 10_000;

/**
 * A console's arguments as text.
 *
 * @see https://console.spec.whatwg.org/#formatter
 */
export function formatMessage(...args: readonly unknown[]): string {
  const [first, ...rest] = args;
  if (typeof first !== "string") return args.map(textOf).join(" ");
  const text = first.replace(/%[sdifoOc%]/g, (mark) => {
    if (mark === "%%") return "%";
    if (rest.length === 0) return mark;
    const value = rest.shift();
    switch (mark) {
      case "%s":
        return textOf(value);
      case "%d":
      case "%f":
        return String(Number(value));
      case "%i":
        return String(Math.trunc(Number(value)));
      case "%c":
        return "";
      default:
        return display(value, LONGEST);
    }
  });
  return [text, ...rest.map(textOf)].join(" ");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value instanceof Error) return value.stack?.includes(value.message) ? value.stack : String(value);
  return display(value, LONGEST);
}
