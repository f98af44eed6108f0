import { ContentFile, Dir, File, map, script, task } from "redun";

/** A file of the program, and the names of the files that it includes. */
interface Source {
  readonly file: File;
  readonly includes: readonly string[];
}

export const list = task("compile.list", (folder: Dir) => folder.files());

/** Finds out which files a source or a header includes. */
export const scan = task("compile.scan", async (file: File): Promise<Source> => {
  const text = await file.text();
  return { file, includes: [...text.matchAll(/^#include "(.+)"/gm)].map((match) => match[1]!) };
});

/** Compiles one source. Its headers are inputs as well, so a change of one of them compiles it again. */
export const compile = task("compile.compile", (source: File, headers: File[], object: string) =>
  script(`mkdir -p $(dirname ${object}) && gcc -O2 -Wall -Wextra -c ${source} -o ${object}`, {
    inputs: inPlace([source, ...headers]),
    outputs: new ContentFile(object),
  }),
);

export const link = task("compile.link", (objects: File[], program: string) =>
  script(`gcc ${objects.join(" ")} -o ${program}`, {
    inputs: inPlace(objects),
    outputs: new ContentFile(program),
  }),
);

/** Compiles all sources, in parallel, and links what comes of them. */
export const build = task("compile.build", (files: Source[], out: string) => {
  const sources = files.filter(({ file }) => file.path.endsWith(".c"));
  const objects = sources.map(({ file }) =>
    compile(file, headersOf(file, files), `${out}/${file.basename().replace(/\.c$/, ".o")}`),
  );
  return link(objects, `${out}/words`);
});

/** Runs the program. */
export const count = task("compile.count", (program: File, text: File) =>
  script([program.path, text.path], { inputs: inPlace([program, text]) }),
);

export const decode = task("compile.decode", (output: Uint8Array) => new TextDecoder().decode(output).trim());

/**
 * Builds a program that finds the most frequent words, and runs it on a text.
 *
 * @param text - what to count the words of
 * @param src - the folder of the program's sources and headers
 * @param out - the folder for objects and program; a path, since what is written there is no input
 */
export const main = task(
  {
    name: "compile.main",
    defaults: [new File("LICENSE"), new Dir("examples/compile/src"), "out/compile"],
  },
  (text: File, src: Dir, out: string) => decode(count(build(map(scan, list(src)), out), text)),
);

/** The headers that a file includes, itself or through others. */
function headersOf(file: File, files: readonly Source[]): File[] {
  const known = new Map(files.map((source) => [source.file.basename(), source]));
  const names = new Set([file.basename()]);
  // A set that grows while it is walked yields what is added.
  for (const name of names) for (const included of known.get(name)?.includes ?? []) names.add(included);
  names.delete(file.basename());
  return [...names].sort().flatMap((name) => known.get(name)?.file ?? []);
}

/** Inputs of a script that reads them where they are, rather than copies in a folder of its own. */
function inPlace(files: readonly File[]) {
  return files.map((file) => file.stage(file.path));
}
