import type * as JustBash from "just-bash/browser";
import { RUN_COMMAND } from "../builtins/script-command.ts";
import { ExecutorError, ScriptError } from "../errors/errors.ts";
import type { ExecutorContext, ScriptRunner } from "../executor/executor.ts";
import type { FileSystem } from "../file/file-system.ts";
import { fileSystemFor, registeredSchemes } from "../file/file-systems.ts";
import { RUN, shellCommands } from "./shell-commands.ts";
import { ShellFolder } from "./shell-folder.ts";
import { readShebang } from "./shell-script.ts";

/** Options of {@link webScriptRunner}. */
export interface WebShellOptions {
  /**
   * Whose bare paths the working folder holds, and takes what scripts change. By default the one that serves bare paths
   * here; where none does, the folder begins empty and is lost.
   */
  readonly files?: FileSystem;
  readonly env?: Readonly<Record<string, string>>;
  /** Most commands, and rounds of loops, of one script. Default a million: an endless loop can't be interrupted. */
  readonly maxCommands?: number;
}

/** Where scripts begin. */
const WORK = "/work";

/**
 * Runs scripts in a tab, by just-bash: bash's language and some ninety of the usual programs, written in JavaScript.
 * Each script has a file system of its own, with the engine's bare paths as its working folder. `redun fs cp` reaches
 * the files of other schemes, as staging does. Programs that a tab lacks fail as unknown commands do.
 *
 * Its stdout is text; binary output goes through files.
 */
export function webScriptRunner(options: WebShellOptions = {}): ScriptRunner {
  return (script, context) => runScript(script, context, options);
}

async function runScript(
  script: string,
  context: ExecutorContext,
  options: WebShellOptions,
): Promise<Uint8Array> {
  const { signal } = context;
  signal.throwIfAborted();
  const shebang = readShebang(script);
  if (!shebang.isShell) {
    throw new ExecutorError(`Cannot start the script: this shell has no ${shebang.interpreter}`, {
      hint: ELSEWHERE,
      fields: { interpreter: shebang.interpreter },
    });
  }
  const shell = await import("just-bash/browser");
  const { bash, folder, takeTraps } = open(shell, options);
  const run = (text: string, env: Record<string, string> = {}): Promise<JustBash.BashExecResult> =>
    bash.exec(text, { rawScript: true, signal, cwd: env.PWD ?? WORK, env });
  let { stdout, stderr, exitCode, env } = await run(startable(shebang.text), {});
  for (const trap of takeTraps()) {
    const after = await run(trap, env);
    stdout += after.stdout;
    stderr += after.stderr;
  }
  signal.throwIfAborted();
  await folder?.flush();
  for (const line of stderr.split("\n").slice(0, stderr.endsWith("\n") ? -1 : undefined)) context.log(line);
  if (exitCode !== 0) throw scriptError(stderr, exitCode);
  return new TextEncoder().encode(stdout);
}

interface Shell {
  readonly bash: JustBash.Bash;
  readonly folder: ShellFolder | undefined;
  takeTraps(): string[];
}

function open(
  { Bash, InMemoryFs, MountableFs, defineCommand }: typeof JustBash,
  options: WebShellOptions,
): Shell {
  const { env, maxCommands = 1e6 } = options;
  const files = options.files ?? (registeredSchemes().includes("file") ? fileSystemFor(".") : undefined);
  const root = new InMemoryFs();
  for (const path of ["/tmp", "/home/user", WORK]) root.mkdirSync(path, { recursive: true });
  const fs = new MountableFs({ base: root });
  const folder = files && new ShellFolder(new InMemoryFs(), files);
  if (folder !== undefined) fs.mount(WORK, folder);
  const { commands, takeTraps } = shellCommands(defineCommand);
  const bash = new Bash({
    fs,
    cwd: WORK,
    env: { HOME: "/home/user", ...env },
    customCommands: commands,
    network: { dangerouslyAllowFullInternetAccess: true },
    executionLimits: {
      maxCommandCount: maxCommands,
      maxLoopIterations: maxCommands,
      maxAwkIterations: 1e9,
      maxSedIterations: 1e9,
      maxJqIterations: 1e9,
      maxWorkUnits: Number.POSITIVE_INFINITY,
      maxExecutionTimeMs: Number.POSITIVE_INFINITY,
    },
  });
  return { bash, folder, takeTraps };
}

/** The script, with a command of ours in the place of the one that starts the staged command by its own interpreter. */
function startable(text: string): string {
  const line = `\n${RUN_COMMAND}\n`;
  const at = text.lastIndexOf(line);
  return at < 0 ? text : `${text.slice(0, at)}\n${RUN} ${RUN_COMMAND}\n${text.slice(at + line.length)}`;
}

const ELSEWHERE =
  "In a tab and on Cloudflare, scripts run in a shell written in JavaScript. Run the workflow from the command line or on `redun server`, or give the task another executor.";

/** How just-bash says that there is no such program. */
const MISSING =
  /^bash: (?:line \d+: )?([^\s:]+): command not (?:found|available in browser environments.*)$/gm;

function scriptError(stderr: string, exitCode: number): ScriptError {
  const text = stderr.replace(MISSING, "bash: $1: command not found");
  const [, missing] = (exitCode === 127 ? [...text.matchAll(MISSING)].at(-1) : undefined) ?? [];
  return new ScriptError(
    text.trim() === "" ? `The script ended with exit status ${exitCode} and no message` : text,
    exitCode,
    missing === undefined ? {} : { hint: `This shell has no program ${missing}. ${ELSEWHERE}` },
  );
}
