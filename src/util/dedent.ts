/** Python functions, whose bodies have no closing brace that tells how far the function itself is indented. */
const PYTHON = /^(@|def |async def |class )/;

/** Removes the indentation that all lines but the first share, as a function inside a call has it. */
export function dedent(text: string): string {
  const [first = "", ...rest] = text.replaceAll("\t", "  ").split("\n");
  if (PYTHON.test(first)) return text;
  const depths = rest.filter((line) => line.trim() !== "").map((line) => /^ */.exec(line)![0].length);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  return [first, ...rest.map((line) => line.slice(depth))].join("\n");
}
