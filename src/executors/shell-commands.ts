import type * as JustBash from "just-bash/browser";
import { RedunError } from "../errors/redun-error.ts";
import { fileSystemFor, schemeOf } from "../file/file-systems.ts";
import { joinPath } from "../file/path.ts";
import { shellQuote } from "../file/shell.ts";
import { GZIP, gzip } from "./shell-gzip.ts";
import { done, failed, fromLatin1, latin1 } from "./shell-result.ts";
import { readShebang } from "./shell-script.ts";

type Context = JustBash.ResolvedCommandContext;
type Result = JustBash.ExecResult;

/** The command that stands for starting a file by its path. */
export const RUN = "redun-run";

/** A shell's commands that just-bash does not have, and the traps that its scripts have set. */
export interface ShellCommands {
  readonly commands: JustBash.CustomCommand[];
  /** The commands that a script wants run at its end. */
  takeTraps(): string[];
}

/** @param define - just-bash's `defineCommand` */
export function shellCommands(define: typeof JustBash.defineCommand): ShellCommands {
  /** One command for the end of each script at work, the innermost last. */
  const traps: (string | undefined)[] = [undefined];
  const takeTraps = (): string[] => {
    const trap = traps[traps.length - 1];
    traps[traps.length - 1] = undefined;
    return trap === undefined ? [] : [trap];
  };

  const trap = async (args: string[]): Promise<Result> => {
    const [command, ...signals] = args[0] === "--" ? args.slice(1) : args;
    for (const signal of signals) {
      // No signal ever comes.
      if (/^(SIG)?(HUP|INT|QUIT|TERM|PIPE|USR1|USR2|[1-9]\d*)$/.test(signal)) continue;
      if (signal !== "EXIT" && signal !== "0") return failed(`trap: ${signal} is not known to this shell`, 1);
      traps[traps.length - 1] = command === "-" || command === "" ? undefined : command;
    }
    return done();
  };

  const run = async ([path = ""]: string[], context: Context): Promise<Result> => {
    const { fs, cwd, exec, exportedEnv = {}, signal } = context;
    const file = fs.resolvePath(cwd, path);
    const text = await fs.readFile(file);
    const shebang = readShebang(text);
    if (!shebang.isShell) return failed(`bash: ${shebang.interpreter}: command not found`, 127);
    if (shebang.text !== text) await fs.writeFile(file, shebang.text);
    const options = { cwd, env: exportedEnv, ...(signal === undefined ? {} : { signal }) };
    traps.push(undefined);
    try {
      let result = await exec!(`bash ${shellQuote(file)}`, options);
      for (const command of takeTraps()) {
        const after = await exec!(command, { ...options, env: { ...exportedEnv, ...result.env } });
        result = { ...result, stdout: result.stdout + after.stdout, stderr: result.stderr + after.stderr };
      }
      return result;
    } finally {
      traps.pop();
    }
  };

  const commands = [
    define("trap", trap),
    define(RUN, run),
    define("mktemp", makeTemporary),
    ...Object.keys(GZIP).map((name) => define(name, (args, context) => gzip(name, args, context))),
    define("redun", (args, context) => guarded("redun", () => redun(args, context))),
  ];
  return { commands, takeTraps };
}

/** `mktemp [-d] [-p FOLDER] [-t] [TEMPLATE]` */
async function makeTemporary(args: string[], { fs, cwd }: Context): Promise<Result> {
  let folder: string | undefined;
  let template: string | undefined;
  let isFolder = false;
  for (let i = 0; i < args.length; i++) {
    const arg = args[i]!;
    if (arg === "-d" || arg === "--directory") isFolder = true;
    else if (arg === "-p") folder = args[++i];
    else if (arg === "-t") folder = "/tmp";
    else if (!arg.startsWith("-")) template = arg;
    else if (arg !== "-q") return failed(`mktemp: unknown option ${arg}`, 1);
  }
  const random = crypto.randomUUID().replaceAll("-", "");
  folder ??= template === undefined ? "/tmp" : ".";
  const name = (template ?? "tmp.XXXXXXXXXX").replace(/X{3,}(?!.*X{3})/, (marks) =>
    random.slice(0, marks.length),
  );
  const path = name.startsWith("/") ? name : folder === "." ? name : joinPath(folder, name);
  const file = fs.resolvePath(cwd, path);
  if (isFolder) await fs.mkdir(file, { recursive: true });
  else await fs.writeFile(file, "");
  return done(`${path}\n`);
}

/** `redun fs cp [--recursive] SRC DEST`, which scripts use to stage files of other schemes. */
async function redun(args: string[], context: Context): Promise<Result> {
  const [group, verb, ...words] = args;
  if (group !== "fs" || verb !== "cp") return failed("redun: only `redun fs cp` is here", 2);
  const recursive = words.includes("--recursive") || words.includes("-r");
  const [source, target, ...rest] = words.filter((word) => word !== "--recursive" && word !== "-r");
  if (source === undefined || target === undefined || rest.length > 0) {
    return failed("redun: Usage: redun fs cp [--recursive] SRC DEST", 2);
  }
  if (!recursive) {
    const bytes = await readFrom(source, context);
    if (target === "-") return { ...done(latin1(bytes)), stdoutKind: "bytes" };
    await writeTo(target, bytes, context);
    return done();
  }
  for (const path of await filesBelow(source, context)) {
    const relative = path.slice(joinPath(source, "").length);
    await writeTo(joinPath(target, relative), await readFrom(path, context), context);
  }
  return done();
}

const isLocal = (path: string): boolean => schemeOf(path) === "file";

async function readFrom(path: string, { fs, cwd, stdin }: Context): Promise<Uint8Array> {
  if (path === "-") return fromLatin1(stdin as unknown as string);
  if (isLocal(path)) return await fs.readFileBuffer(fs.resolvePath(cwd, path));
  return await fileSystemFor(path).read(path);
}

async function writeTo(path: string, bytes: Uint8Array, { fs, cwd }: Context): Promise<void> {
  if (!isLocal(path)) return await fileSystemFor(path).write(path, bytes);
  const file = fs.resolvePath(cwd, path);
  const folder = file.slice(0, file.lastIndexOf("/"));
  if (folder !== "") await fs.mkdir(folder, { recursive: true });
  await fs.writeFile(file, bytes);
}

/** The files at any depth below a folder, in the form of its path. */
async function filesBelow(folder: string, { fs, cwd }: Context): Promise<string[]> {
  if (!isLocal(folder)) return (await fileSystemFor(folder).list(folder)).map(({ path }) => path);
  const found: string[] = [];
  const folders = [folder];
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const name of await fs.readdir(fs.resolvePath(cwd, next))) {
      const path = joinPath(next, name);
      const { isDirectory } = await fs.stat(fs.resolvePath(cwd, path));
      (isDirectory ? folders : found).push(path);
    }
  }
  return found;
}

/** Tells of an error as a program does. */
async function guarded(name: string, run: () => Promise<Result>): Promise<Result> {
  try {
    return await run();
  } catch (error) {
    const { message } = error as Error;
    const hint = error instanceof RedunError && error.hint !== undefined ? `\n${error.hint}` : "";
    return failed(`${name}: ${message}${hint}`, 1);
  }
}
