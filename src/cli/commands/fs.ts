import { Readable, Writable } from "node:stream";
import { copyPath } from "../../file/copy.ts";
import { registeredSchemes } from "../../file/file-systems.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { registerFileSystems } from "../runtime.ts";

/** `redun fs` */
export async function listFileSystems({ output }: Cli, words: string[]): Promise<void> {
  if (words.length > 0) throw new UsageError(`Unknown command: fs ${words[0]}`, { hint: "Known: fs cp." });
  registerFileSystems();
  output.print(["File systems:", ...registeredSchemes().map((scheme) => `  ${scheme}`)].join("\n"));
}

/** `redun fs cp SRC DEST` */
export async function copy(_cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const { recursive = false } = given as { recursive?: boolean };
  const [source, target, ...rest] = words;
  if (source === undefined || target === undefined || rest.length > 0) {
    throw new UsageError("What is to be copied where? Usage: redun fs cp [--recursive] SRC DEST");
  }
  registerFileSystems();
  await copyPath(source === "-" ? null : source, target === "-" ? null : target, {
    recursive,
    stdin: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    stdout: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  });
}
