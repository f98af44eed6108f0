import { readFileSync } from "node:fs";
import { dirname, extname, resolve } from "node:path";
import type { Command } from "commander";
import { isExpression } from "../../expression/expression.ts";
import { File } from "../../file/file.ts";
import { loadPackage } from "../../package/load.ts";
import type { CodePackage } from "../../package/types.ts";
import { storableErrorValue, type Traceback } from "../../scheduler/traceback.ts";
import type { Task } from "../../task/task.ts";
import { display } from "../../value/display.ts";
import { leaves } from "../../value/nested.ts";
import { codecOf } from "../../value/registry.ts";
import { decodeValue, encodeValue } from "../../value/value.ts";
import { type Cli, openRepoConfig } from "../cli.ts";
import { ArgumentError, RedunClientError, UsageError } from "../client-error.ts";
import { inspectValue } from "../inspect.ts";
import { Exit, reportError } from "../report.ts";
import { registerFileSystems } from "../runtime.ts";
import { parameterValues, positionalArguments, taskCommand } from "../task-options.ts";
import { findScript, findTask, openWorkflow, workflowOf } from "../workflow.ts";

interface OneshotOptions {
  readonly cache: boolean;
  readonly code?: string;
  readonly input?: string;
  readonly output?: string;
  readonly error?: string;
  readonly arrayJob?: boolean;
  readonly arrayRankEnv?: string;
  readonly importPath?: readonly string[];
}

/** Where one job's input comes from, and where its result or error goes. */
interface Places {
  readonly rank: number | undefined;
  readonly output: File | undefined;
  readonly error: File | undefined;
}

/** `redun oneshot [options] SCRIPT TASK [--arg VALUE]...` */
export async function oneshot(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const options = given as unknown as OneshotOptions;
  const [script, name, ...tail] = words;
  if (script === undefined || name === undefined) {
    throw new UsageError(
      "Which task of which workflow? Usage: redun oneshot [options] SCRIPT TASK [--arg VALUE]...",
    );
  }
  registerFileSystems();
  const places = await findPlaces(options);
  if (await places.error?.exists()) await places.error!.remove();
  if (options.cache && places.output !== undefined) {
    const earlier = await readEarlier(places.output);
    if (earlier !== undefined) return cli.output.log(`Existing output found: ${places.output.path}`);
  }
  let task: Task | undefined;
  let args: unknown[] = [];
  try {
    const workflow = await loadCode(cli, script, options);
    const found = findTask(workflow, name);
    task = found.task;
    const { defaults } = task.definition;
    const parser = taskCommand(found.described);
    parse(parser, tail);
    const base = options.input === undefined ? [] : await readArguments(options.input, places.rank);
    const values = parameterValues(found.described, parser.opts());
    args = positionalArguments(found.described, values, base, defaults);
    for (let i = 0; i < defaults.length; i++) if (args[i] === undefined) args[i] = defaults[i];
    const returned: unknown = task.fn(...args);
    // An expression is the result as it is; awaiting it would evaluate it, for which there is no scheduler here.
    const result: unknown = isExpression(returned) ? returned : await returned;
    await refresh(result);
    if (places.output === undefined) {
      if (result !== undefined && result !== null) cli.output.print(inspectValue(result));
    } else await places.output.write(encodeValue(result, "result").text);
  } catch (error) {
    if (places.error === undefined) throw error;
    await places.error.write(encodeValue(storableErrorValue(error, traceback(task, args, error))).text);
    if (error instanceof RedunClientError) throw error;
    reportTaskError(cli, error);
  }
}

function reportTaskError(cli: Cli, error: unknown): never {
  if (error instanceof Exit) throw error;
  if (error instanceof Error) cli.output.log(error.stack ?? `${error.name}: ${error.message}`, "ERROR");
  else reportError(error, cli.output);
  throw new Exit(1);
}

function parse(parser: Command, tail: readonly string[]): void {
  try {
    parser.parse([...tail], { from: "user" });
  } catch (error) {
    throw new ArgumentError((error as Error).message.replace(/^error: /, ""));
  }
  if (parser.args.length > 0) throw new ArgumentError(`unrecognized arguments: ${parser.args.join(" ")}`);
}

/** The environment variables in which services say which item of an array is meant. */
const RANK_VARIABLES = ["AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX", "BATCH_TASK_INDEX"];

async function findPlaces({ output, error, arrayJob, arrayRankEnv }: OneshotOptions): Promise<Places> {
  const file = (path: string | undefined): File | undefined =>
    path === undefined ? undefined : new File(path);
  if (!arrayJob) return { rank: undefined, output: file(output), error: file(error) };
  const names = arrayRankEnv === undefined ? RANK_VARIABLES : [arrayRankEnv];
  const text = names.map((name) => process.env[name]).find((value) => value !== undefined);
  if (text === undefined || !/^\d+$/.test(text)) {
    throw new RedunClientError(
      `Cannot tell which item of the array to run: none of ${names.join(", ")} is set to a number`,
    );
  }
  const rank = Number(text);
  const item = async (path: string | undefined): Promise<File | undefined> => {
    if (path === undefined) return undefined;
    const list = JSON.parse(await new File(path).text()) as unknown;
    const found = Array.isArray(list) ? (list[rank] as unknown) : undefined;
    if (typeof found !== "string") throw new RedunClientError(`Cannot find item ${rank} in the list ${path}`);
    return new File(found);
  };
  return { rank, output: await item(output), error: await item(error) };
}

/** An output that is there and still describes the world. */
async function readEarlier(output: File): Promise<unknown> {
  if (!(await output.exists())) return undefined;
  try {
    const value = decodeValue(await output.text());
    for (const leaf of leaves(value)) {
      if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
      if (!((await codecOf(leaf)?.isValid?.(leaf)) ?? true)) return undefined;
    }
    return { value };
  } catch {
    // A damaged output is computed again.
    return undefined;
  }
}

async function readArguments(path: string, rank: number | undefined): Promise<unknown[]> {
  const value = decodeValue(await new File(path).text());
  const args = rank === undefined || !Array.isArray(value) ? value : (value[rank] as unknown);
  if (!Array.isArray(args))
    throw new RedunClientError(`Cannot read the arguments in ${path}: expected a list`);
  return args as unknown[];
}

async function loadCode(
  cli: Cli,
  script: string,
  { code, importPath = [] }: OneshotOptions,
): Promise<Awaited<ReturnType<typeof openWorkflow>>> {
  const { dir } = openRepoConfig(cli);
  if (code === undefined) return openWorkflow(findIn([".", ...importPath], script), dir, cli.output);
  const pkg = JSON.parse(readFileSync(code, "utf8")) as CodePackage;
  const loaded = await loadPackage(pkg, { dir, from: dirname(resolve(script)) });
  return workflowOf(script, { package: loaded, path: code, warnings: [], cached: false });
}

/** Looks for a script in several folders; the first is where a missing one is reported. */
function findIn(folders: readonly string[], script: string): string {
  let missing: unknown;
  for (const folder of folders) {
    try {
      return findScript(extname(script) === "" ? script : resolve(folder, script));
    } catch (error) {
      missing ??= error;
    }
  }
  throw missing;
}

/** Has files in a result look at the disk, so that their hashes describe what the task left. */
async function refresh(result: unknown): Promise<void> {
  for (const leaf of leaves(result)) {
    if ((typeof leaf === "object" || typeof leaf === "function") && leaf !== null)
      await codecOf(leaf)?.refresh?.(leaf);
  }
}

function traceback(task: Task | undefined, args: readonly unknown[], error: unknown): Traceback {
  const summary = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const location = task?.definition.location;
  const names = task?.definition.parameters ?? [];
  const locals = Object.fromEntries(args.map((arg, i) => [names[i] ?? `arg${i}`, display(arg)]));
  const frame = {
    jobId: "",
    task: task?.fullname ?? "",
    file: location?.file ?? null,
    line: location?.line ?? null,
    source: task?.source.split("\n", 1)[0] ?? "",
    locals,
  };
  return { frames: task === undefined ? [] : [frame], stack: [], error: summary, log: [] };
}
