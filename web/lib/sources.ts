/** The files of a workflow that is written in the app. */

/** The file whose tasks are offered. It is always there. */
export const ENTRY = "workflow.ts";

/** Texts by path. */
export type Sources = Readonly<Record<string, string>>;

/** More files than a link or an editor is good for. */
const MOST_FILES = 50;
const LONGEST_NAME = 100;

/** What is wrong with the name of a further file, if anything is. */
export function nameProblem(name: string, sources: Sources): string | undefined {
  if (name === "") return "Give it a name.";
  if (name.length > LONGEST_NAME) return "The name is too long.";
  if (!/^\w[\w.-]*(\/\w[\w.-]*)*$/.test(name) || name === "__proto__")
    return "Use letters, digits, and . - _ /, such as helper.ts.";
  if (!/\.(ts|js|json)$/.test(name)) return "The name ends in .ts, .js or .json.";
  if (Object.hasOwn(sources, name)) return "There is a file of that name.";
  if (Object.keys(sources).length >= MOST_FILES) return "There are too many files.";
  return undefined;
}

/** Files of a workflow in their order: the main one, then by name. */
export function fileNames(sources: Sources): string[] {
  return [
    ENTRY,
    ...Object.keys(sources)
      .filter((name) => name !== ENTRY)
      .sort(),
  ];
}

/** Further files from untrusted data. @throws Error if they are none */
export function otherFiles(data: unknown): Sources {
  if (typeof data !== "object" || data === null || Array.isArray(data)) throw new Error("They are no files.");
  const found: Record<string, string> = {};
  for (const [name, text] of Object.entries(data)) {
    const problem = nameProblem(name, { ...found, [ENTRY]: "" });
    if (problem !== undefined || typeof text !== "string")
      throw new Error(`${name} is no file of a workflow.`);
    found[name] = text;
  }
  return found;
}

/** All files as one text, to look through. */
export function joinedText(sources: Sources): string {
  const names = fileNames(sources);
  if (names.length === 1) return sources[ENTRY]!;
  return names.map((name) => `// ${name}\n${sources[name]}`).join("\n");
}
