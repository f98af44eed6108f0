import { Readable, Writable } from "node:stream";
import { copyPath } from "../../file/copy.ts";
import { registeredSchemes } from "../../file/file-systems.ts";
import type { Cli } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { type ServerOptions, serverTarget } from "../remote/target.ts";
import { registerFileSystems } from "../runtime.ts";

/** `redun fs` */
export async function listFileSystems({ output }: Cli, words: string[]): Promise<void> {
  if (words.length > 0) throw new UsageError(`Unknown command: fs ${words[0]}`, { hint: "Known: fs cp." });
  registerFileSystems();
  output.print(["File systems:", ...registeredSchemes().map((scheme) => `  ${scheme}`)].join("\n"));
}

/** `redun fs cp SRC DEST`; with a server, SRC is a file there and DEST one of this machine */
export async function copy(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const { recursive = false, ...options } = given as { recursive?: boolean } & ServerOptions;
  const [source, target, ...rest] = words;
  if (source === undefined || target === undefined || rest.length > 0) {
    throw new UsageError("What is to be copied where? Usage: redun fs cp [--recursive] SRC DEST");
  }
  // Scripts copy their files with this command, so what the environment says of a server does not count.
  const named = [options.server, options.serverRepo, cli.globals.server, cli.globals.repo];
  const server = named.every((name) => name === undefined) ? undefined : serverTarget(cli, options);
  if (server !== undefined) {
    if (recursive) throw new UsageError("Cannot copy a folder of a server: copy its files one by one");
    const { fetchFile } = await import("../remote/fetch-file.ts");
    return await fetchFile(server, source, target);
  }
  registerFileSystems();
  await copyPath(source === "-" ? null : source, target === "-" ? null : target, {
    recursive,
    stdin: Readable.toWeb(process.stdin) as ReadableStream<Uint8Array>,
    stdout: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
  });
}
