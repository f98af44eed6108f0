import type * as JustBash from "just-bash/browser";
import { done, failed, fromLatin1, latin1 } from "./shell-result.ts";

type Context = JustBash.ResolvedCommandContext;
type Result = JustBash.ExecResult;

interface Options {
  decompress: boolean;
  toStdout: boolean;
  keep: boolean;
  force: boolean;
}

/** The default options of each name that the command has. */
export const GZIP: Readonly<Record<string, Readonly<Options>>> = {
  gzip: { decompress: false, toStdout: false, keep: false, force: false },
  gunzip: { decompress: true, toStdout: false, keep: false, force: false },
  zcat: { decompress: true, toStdout: true, keep: true, force: false },
};

const FLAGS: Readonly<Record<string, Partial<Options>>> = {
  c: { toStdout: true },
  d: { decompress: true },
  f: { force: true },
  k: { keep: true },
  stdout: { toStdout: true },
  "to-stdout": { toStdout: true },
  decompress: { decompress: true },
  uncompress: { decompress: true },
  force: { force: true },
  keep: { keep: true },
};
/** Speed and talk don't matter here. */
const IGNORED = /^([1-9nqv]|fast|best|no-name|quiet|verbose)$/;

/** `gzip`, `gunzip` and `zcat` by the browser's own compression; that of just-bash needs Node. */
export async function gzip(name: string, args: readonly string[], context: Context): Promise<Result> {
  const options: Options = { ...GZIP[name]! };
  const files: string[] = [];
  for (const arg of args) {
    if (arg === "-" || !arg.startsWith("-")) {
      files.push(arg);
      continue;
    }
    for (const flag of arg.startsWith("--") ? [arg.slice(2)] : arg.slice(1)) {
      if (Object.hasOwn(FLAGS, flag)) Object.assign(options, FLAGS[flag]);
      else if (!IGNORED.test(flag)) return failed(`${name}: unknown option ${arg}`, 1);
    }
  }
  let stdout = "";
  for (const file of files.length === 0 ? ["-"] : files) {
    try {
      const bytes = await convertFile(file, options, context);
      if (bytes !== undefined) stdout += latin1(bytes);
    } catch (error) {
      return { ...failed(`${name}: ${file}: ${(error as Error).message}`, 1), stdout, stdoutKind: "bytes" };
    }
  }
  return { ...done(stdout), stdoutKind: "bytes" };
}

/** @returns what goes to stdout, if anything */
async function convertFile(
  file: string,
  options: Options,
  context: Context,
): Promise<Uint8Array | undefined> {
  const { fs, cwd, stdin } = context;
  const { decompress, toStdout, keep, force } = options;
  if (file === "-") return convert(fromLatin1(stdin as unknown as string), decompress);
  const path = fs.resolvePath(cwd, file);
  const converted = await convert(await fs.readFileBuffer(path), decompress);
  if (toStdout) return converted;
  if (decompress && !path.endsWith(".gz")) throw new Error("unknown suffix");
  const target = decompress ? path.slice(0, -".gz".length) : `${path}.gz`;
  if (!force && (await fs.exists(target))) throw new Error(`${target} already exists`);
  await fs.writeFile(target, converted);
  if (!keep) await fs.rm(path);
  return undefined;
}

async function convert(bytes: Uint8Array, decompress: boolean): Promise<Uint8Array> {
  const Stream = decompress ? DecompressionStream : CompressionStream;
  const body = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new Stream("gzip"));
  try {
    return await new Response(body).bytes();
  } catch {
    throw new Error("not in gzip format, or of several members");
  }
}
