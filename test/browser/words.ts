/** Shell commands that are the same everywhere, for the test that compares the runtimes. */
import { ContentFile, type Expression, type File, script, type Task, task } from "redun";

export const unique: Task<[file: File], Expression<File>> = task("words.unique", (file: File) =>
  script("tr ' ' '\\n' < in.txt | sort | uniq > out.txt", {
    tempdir: true,
    inputs: [file.stage("in.txt")],
    outputs: new ContentFile("out/unique.txt").stage("out.txt"),
  }),
);

export const count: Task<[file: File], Expression<Uint8Array>> = task("words.count", (file: File) =>
  script(`grep -c . ${file.path}`),
);

export const main: Task<[file: File], unknown> = task("words.main", (file: File): unknown => {
  const words = unique(file);
  return { words, count: count(words) };
});
