/**
 * The names of a function's parameters, read from its source. A destructured one is called by its position,
 * such as `arg0`; a rest parameter loses its dots.
 */
export function parameterNames(source: string): string[] {
  // A build that lowers `async` may move the parameters to a generator inside.
  const lowered = /__async\((?:this|null), \[[^\]]*\], function\* ?(?=\()/.exec(source);
  const text = parameterList(lowered === null ? source : source.slice(lowered.index + lowered[0].length));
  if (text === undefined) return [];
  return splitTopLevel(text).map((part, index) => {
    const match = /^(?:\.\.\.)?\s*([A-Za-z_$][\w$]*)/.exec(part.replace(leading, ""));
    return match === null ? `arg${index}` : match[1]!;
  });
}

/** White space and comments before a parameter. */
const leading = /^(?:\s|\/\*[\s\S]*?\*\/|\/\/[^\n]*\n)*/;

/** The text between the parentheses of a function's head, or its only bare parameter. */
function parameterList(source: string): string | undefined {
  const bare = /^(?:async\s+)?([A-Za-z_$][\w$]*)\s*=>/.exec(source);
  if (bare !== null) return bare[1];
  const open = source.indexOf("(");
  if (open < 0) return undefined;
  const close = scan(source, open + 1, (char, depth) => char === ")" && depth === 0);
  return source.slice(open + 1, close);
}

function splitTopLevel(text: string): string[] {
  const parts: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = scan(text, start, (char, depth) => char === "," && depth === 0);
    const part = text.slice(start, end);
    if (part.trim() !== "") parts.push(part);
    start = end + 1;
  }
  return parts;
}

/** The first index from `start` at which `stop` holds outside of strings, comments and inner brackets. */
function scan(text: string, start: number, stop: (char: string, depth: number) => boolean): number {
  let depth = 0;
  for (let i = start; i < text.length; i++) {
    const char = text[i]!;
    if (stop(char, depth)) return i;
    if (char === '"' || char === "'" || char === "`") {
      for (i++; i < text.length && text[i] !== char; i++) if (text[i] === "\\") i++;
    } else if (char === "/" && text[i + 1] === "*") {
      i = text.indexOf("*/", i + 2) + 1;
      if (i === 0) return text.length;
    } else if (char === "/" && text[i + 1] === "/") {
      i = text.indexOf("\n", i);
      if (i < 0) return text.length;
    } else if ("([{".includes(char)) depth++;
    else if (")]}".includes(char)) depth--;
  }
  return text.length;
}
