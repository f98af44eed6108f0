/** What a documentation comment says. */
export interface DocComment {
  /** The text before the first tag. */
  readonly description: string;
  /** The texts of the `@param` tags, by parameter. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** Reads the text between the slashes and stars of a documentation comment. */
export function parseDocComment(comment: string): DocComment {
  const lines = comment.split("\n").map((line) => line.replace(/^\s*\*? ?/, "").trimEnd());
  const parameters = new Map<string, string>();
  const description: string[] = [];
  let take: (line: string) => void = (line) => description.push(line);
  for (const line of lines) {
    const tag = line.match(/^\s*@(\w+)\s*(.*)$/);
    if (!tag) {
      take(line);
      continue;
    }
    const parameter =
      tag[1] === "param" && tag[2]!.match(/^(?:\{[^}]*\}\s*)?\[?([\w$]+)[^\s\]]*\]?\s*(?:-\s*)?(.*)$/);
    if (!parameter) {
      take = () => {};
      continue;
    }
    const name = parameter[1]!;
    take = (text) => {
      parameters.set(name, `${parameters.get(name) ?? ""} ${text.trim()}`.trim());
    };
    take(parameter[2]!);
  }
  return { description: description.join("\n").trim(), parameters };
}
