import { buildPackage, type CodePackage } from "../../src/package/index.ts";

/** Source files by path. */
export type Files = Record<string, string>;

/** Builds `main.ts` from memory. */
export function build(files: Files | string): Promise<CodePackage> {
  return buildPackage("main.ts", { files: typeof files === "string" ? { "main.ts": files } : files });
}

/** The hash of each task. */
export function hashes(pkg: CodePackage): Record<string, string> {
  return Object.fromEntries(pkg.manifest.tasks.map((task) => [task.fullname, task.hash]));
}

/** Which tasks' hashes an edit changes. */
export async function changed(before: Files | string, after: Files | string): Promise<string[]> {
  const [a, b] = (await Promise.all([build(before), build(after)])).map(hashes) as [
    Record<string, string>,
    Record<string, string>,
  ];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => a[name] !== b[name]).sort();
}

/** Replaces text that must be there, so that a test can't pass by editing nothing. */
export function edit(files: Files, path: string, from: string | RegExp, to: string): Files {
  const text = files[path] ?? "";
  const edited = text.replace(from, () => to);
  if (edited === text) throw new Error(`${path} has no ${from}`);
  return { ...files, [path]: edited };
}

/** The task of a name. */
export function taskOf(pkg: CodePackage, fullname: string): CodePackage["manifest"]["tasks"][number] {
  const found = pkg.manifest.tasks.find((task) => task.fullname === fullname);
  if (!found) throw new Error(`No task ${fullname} in ${pkg.manifest.tasks.map((task) => task.fullname)}`);
  return found;
}
