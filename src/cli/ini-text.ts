import { parse } from "ini";
import { RedunClientError } from "./client-error.ts";

/** Values by section and key. Sections keep their dots. */
export type Dict = Record<string, Record<string, string>>;

/**
 * Reads the text of an INI file. As in Python's format, a line that is indented more than its key continues the
 * value, and `;` and `#` begin a comment only at the start of a line.
 */
export function parseIni(text: string, file: string): Dict {
  const sections = parse(plainLines(text, file).join("\n"), { bracketedArray: false });
  const dict: Dict = Object.create(null) as Dict;
  flatten(sections as Record<string, unknown>, [], dict);
  return dict;
}

/** One line a value, with what the library would take for comments escaped. */
function plainLines(text: string, file: string): string[] {
  const lines: string[] = [];
  let keyIndent = -1;
  let value: { at: number; text: string } | undefined;
  const close = (): void => {
    if (value !== undefined) lines[value.at] += escapeComment(value.text);
    value = undefined;
  };
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    const content = line.trim();
    if (content === "" || /^[;#]/.test(content)) continue;
    const depth = line.length - line.trimStart().length;
    if (value !== undefined && depth > keyIndent) {
      value.text += ` ${content}`;
      continue;
    }
    close();
    if (content.startsWith("[") && content.endsWith("]")) {
      lines.push(content);
      continue;
    }
    const split = content.indexOf("=");
    if (split <= 0) {
      throw new RedunClientError(`Cannot read ${file}: line ${index + 1} is not \`key = value\`: ${content}`);
    }
    keyIndent = depth;
    value = { at: lines.length, text: content.slice(split + 1).trim() };
    lines.push(`${escapeComment(content.slice(0, split).trim())} = `);
  }
  close();
  return lines;
}

function escapeComment(text: string): string {
  const quoted = /^(["']).*\1$/.test(text) && text.length > 1;
  return quoted ? text : text.replace(/[\\;#]/g, "\\$&");
}

function flatten(node: Record<string, unknown>, path: readonly string[], dict: Dict): void {
  for (const [key, item] of Object.entries(node)) {
    if (typeof item === "object" && item !== null && !Array.isArray(item)) {
      const section = [...path, key];
      const name = section.join(".");
      // A section may have no values of its own but only sections below it.
      const own = Object.values(item).some((inner) => typeof inner !== "object" || inner === null);
      if (own || Object.keys(item).length === 0) dict[name] ??= Object.create(null) as Record<string, string>;
      flatten(item as Record<string, unknown>, section, dict);
    } else {
      const name = path.join(".") || "DEFAULT";
      dict[name] ??= Object.create(null) as Record<string, string>;
      // Of a repeated key the last value counts.
      dict[name][key] = String(Array.isArray(item) ? item.at(-1) : item);
    }
  }
}
