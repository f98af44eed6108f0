import { RedunError } from "../errors/redun-error.ts";
import { isExpression } from "../expression/expression.ts";
import type { Expression, Lazy, Resolved } from "../expression/types.ts";
import { type Dir, isDir } from "../file/dir.ts";
import { File, IFile, isFile } from "../file/file.ts";
import { schemeOf } from "../file/file-systems.ts";
import { shellMakeFolder } from "../file/shell.ts";
import { Staging } from "../file/staging.ts";
import type { CallOptions } from "../task/options.ts";
import { defineTask, type Task } from "../task/task.ts";
import { leaves, mapNested } from "../value/nested.ts";
import { prepareCommand, START, wrapCommand } from "./script-command.ts";

/** Options of {@link script}; the rest are options of the task that runs it. */
export interface ScriptOptions<Outputs = unknown> extends CallOptions {
  /** Staged files and folders, in any nesting, that are copied in before the command. */
  readonly inputs?: unknown;
  /**
   * The shape of the result: files and folders that the command writes, staged ones that are copied out after it, and
   * `new File("-")` for its stdout. Without it, the result is stdout.
   */
  readonly outputs?: Outputs;
  /** Run in a new folder that is removed afterwards. Default false. */
  readonly tempdir?: boolean;
  /** Reach remote files through mounted folders where their file system can. Default false. */
  readonly asMount?: boolean;
}

/** The path that stands for stdout. */
const STDOUT = "-";

/** Runs a script as it is. What it writes depends on more than its text, so its result is never read from the store. */
const scriptTask: Task = defineTask(
  { name: "script_task", namespace: "redun", version: "1", script: true, cacheScope: "CSE" },
  (text: string) => text,
);

/** Makes the result of the outputs' shape: stdout, and files as they are now. */
const postprocessTask: Task = defineTask(
  { name: "postprocess_script", namespace: "redun", version: "1" },
  (stdout: Uint8Array, outputs: unknown) =>
    mapNested((leaf) => {
      if (leaf instanceof Staging) return fresh(leaf.remote as File | Dir);
      if (isFile(leaf)) return leaf.path === STDOUT ? stdout : fresh(leaf);
      return isDir(leaf) ? fresh(leaf) : leaf;
    }, outputs),
);

/** The same file or folder, with a hash yet to be computed. */
function fresh(file: File | Dir): File | Dir {
  return file.at(file.path);
}

const outerTask: Task = defineTask(
  { name: "script", namespace: "redun", version: "1", checkValid: "shallow" },
  (text: string, _inputs: unknown, outputs: unknown, options: CallOptions) =>
    postprocessTask(scriptTask.options(options)(text), outputs),
);

/**
 * Runs a shell command as a step of a workflow, with files staged in and out.
 *
 * @example Count lines
 * ```ts
 * import { File, script } from "redun";
 *
 * const count = script("sort words.txt | uniq > unique.txt", {
 *   tempdir: true,
 *   inputs: [new File("data/words.txt").stage("words.txt")],
 *   outputs: new File("out/unique.txt").stage("unique.txt"),
 * });
 * ```
 * @param command - shell text, with any interpreter in a `#!` line (default bash, stopping at the first failure), or a
 *   list of words that are quoted
 * @returns in the shape of `outputs`: staged files as their remote ones, stdout as bytes
 * @throws RedunError with code `script-input` if an input is not staged
 */
export function script<Outputs = Uint8Array>(
  command: Lazy<string> | readonly string[],
  options: ScriptOptions<Outputs> = {},
): Expression<Resolved<Unstaged<Outputs>>> {
  const { inputs = [], outputs = new File(STDOUT), tempdir = false, asMount = false, ...rest } = options;
  if (isExpression(command) || hasExpressions(inputs) || hasExpressions(outputs)) {
    return lateTask(command, inputs, outputs, { tempdir, asMount }, rest) as never;
  }
  return build(command as string | readonly string[], inputs, outputs, { tempdir, asMount }, rest) as never;
}

/** What a staged file becomes in the result. */
export type Unstaged<T> = T extends { readonly remote: infer R }
  ? R
  : T extends readonly unknown[] | { readonly [key: string]: unknown }
    ? { [K in keyof T]: Unstaged<T[K]> }
    : T;

interface BuildOptions {
  readonly tempdir: boolean;
  readonly asMount: boolean;
}

function hasExpressions(value: unknown): boolean {
  for (const leaf of leaves(value)) if (isExpression(leaf)) return true;
  return false;
}

/** A script whose parts are known only when others have run. */
const lateTask: Task = defineTask(
  { name: "late_script", namespace: "redun", version: "1" },
  (
    command: string | readonly string[],
    inputs: unknown,
    outputs: unknown,
    options: BuildOptions,
    rest: CallOptions,
  ) => build(command, inputs, outputs, options, rest),
);

/** The same pair as a command sees it that runs in another folder than the script began in. */
function fromStart(staging: Staging<File>): Staging<File> {
  const { local, remote } = staging;
  const isRelative = schemeOf(remote.path) === "file" && !/^(\/|file:)/i.test(remote.path);
  return isRelative ? remote.at(`${START}/${remote.path}`).stage(local) : staging;
}

/** The lines that copy to a place, in a folder that may not be there yet. */
function copyLines({ path }: File, copy: string): string[] {
  if (copy === "") return [];
  const isInStart = path.startsWith(`${START}/`) && !path.includes("/", START.length + 1);
  return isInStart ? [copy] : [shellMakeFolder(path), copy];
}

function build(
  command: string | readonly string[],
  inputs: unknown,
  outputs: unknown,
  { tempdir, asMount }: BuildOptions,
  options: CallOptions,
): Expression<unknown> {
  const staged: Staging<File>[] = [];
  for (const leaf of leaves(inputs)) {
    if (!(leaf instanceof Staging)) {
      throw new RedunError(
        "script-input",
        `Cannot stage the input ${String((leaf as { path?: string })?.path ?? leaf)}: it says not where to`,
        {
          hint: "Give each input as file.stage(localPath).",
        },
      );
    }
    staged.push(leaf as Staging<File>);
  }
  // Leaves come in reverse.
  staged.reverse();
  const unstaged = [...leaves(outputs)]
    .filter((leaf) => leaf instanceof Staging)
    .reverse() as Staging<File>[];
  const placed = (staging: Staging<File>): Staging<File> => (tempdir ? fromStart(staging) : staging);
  const stage = staged
    .map(placed)
    .flatMap((staging) => copyLines(staging.local, staging.renderStage({ asMount })));
  const unstage = unstaged
    .map(placed)
    .flatMap((staging) => copyLines(staging.remote, staging.renderUnstage({ asMount })));
  const plain = stage.length === 0 && unstage.length === 0 && !tempdir;
  const text = plain ? prepareCommand(command) : wrapCommand(command, stage, unstage, tempdir);
  // An output that is not staged is staged at its own place: a pair's hash is that of its paths, so what the command
  // writes there does not count as an argument.
  const targets = mapNested((leaf) => {
    if (isFile(leaf)) return leaf.path === STDOUT ? new IFile(STDOUT) : leaf.stage(leaf.path);
    return isDir(leaf) ? leaf.stage(leaf.path) : leaf;
  }, outputs);
  // The remote files are arguments, so that a change of their content runs the script again.
  const remotes = staged.map((staging) => staging.remote);
  return outerTask(text, remotes, targets, options);
}
