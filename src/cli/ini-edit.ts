/** The text of an INI file with a section added at its end; the rest stays as it is. */
export function addSection(text: string, name: string, values: Readonly<Record<string, string>>): string {
  const before = text === "" ? "" : `${text.replace(/\n*$/, "")}\n\n`;
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`);
  return `${before}[${name}]\n${lines.join("")}`;
}

/** The text of an INI file without a section; the rest stays as it is, with the comments above the next section. */
export function removeSection(text: string, name: string): string {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => line.trim() === `[${name}]`);
  if (start < 0) return text;
  let end = lines.findIndex((line, i) => i > start && /^\s*\[.*\]\s*$/.test(line));
  if (end < 0) end = lines.length;
  else while (end > start + 1 && /^\s*([#;].*)?$/.test(lines[end - 1]!)) end--;
  const after = lines.slice(end);
  // One empty line is enough where there were two.
  if (lines[start - 1]?.trim() === "" && after[0]?.trim() === "") after.shift();
  return [...lines.slice(0, start), ...after].join("\n");
}
