/** Values as text of many lines, in the style of a JavaScript literal. */
import { display, quoteKey } from "../../src/value/display.ts";

/** What fits into so many characters stays on one line. */
const LINE = 88;
/** Longer texts are cut, as nobody reads on. */
const MOST_CHARACTERS = 200_000;
const DEEPEST = 40;

/** A value as text; a string stands for itself. */
export function valueText(value: unknown): string {
  if (typeof value === "string") return cut(value);
  const budget = { left: MOST_CHARACTERS };
  return cut(textOf(value, "", budget, 0));
}

const cut = (text: string): string =>
  text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}\n…` : text;

function textOf(value: unknown, indent: string, budget: { left: number }, depth: number): string {
  if (budget.left <= 0) return "…";
  const short = display(value, LINE + 4);
  if (short.length + indent.length <= LINE || depth > DEEPEST) {
    budget.left -= short.length;
    return short;
  }
  const inner = `${indent}  `;
  const nested = (item: unknown): string => textOf(item, inner, budget, depth + 1);
  if (Array.isArray(value)) return block("[", value, (item) => nested(item), "]", indent, budget);
  if (value instanceof Set)
    return block(`Set(${value.size}) {`, value, (item) => nested(item), "}", indent, budget);
  if (value instanceof Map)
    return block(
      `Map(${value.size}) {`,
      value,
      ([key, item]) => `${display(key)} => ${nested(item)}`,
      "}",
      indent,
      budget,
    );
  if (typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype)
    return block(
      "{",
      Object.entries(value),
      ([key, item]) => `${quoteKey(key)}: ${nested(item)}`,
      "}",
      indent,
      budget,
    );
  const long = display(value, budget.left);
  budget.left -= long.length;
  return long;
}

function block<T>(
  open: string,
  items: Iterable<T>,
  each: (item: T) => string,
  close: string,
  indent: string,
  budget: { left: number },
): string {
  const lines: string[] = [];
  for (const item of items) {
    lines.push(`${indent}  ${each(item)},`);
    if (budget.left <= 0) {
      lines.push(`${indent}  …`);
      break;
    }
  }
  return lines.length === 0 ? `${open}${close}` : `${open}\n${lines.join("\n")}\n${indent}${close}`;
}
