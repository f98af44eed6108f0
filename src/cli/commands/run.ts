import { Command } from "commander";
import type { PackageTask } from "../../package/types.ts";
import type { Scheduler } from "../../scheduler/scheduler.ts";
import { errorTraceback, formatTraceback } from "../../scheduler/traceback.ts";
import type { Task } from "../../task/task.ts";
import { type Cli, logHead, openRepoConfig } from "../cli.ts";
import { ArgumentError, EXIT, RedunClientError, UsageError } from "../client-error.ts";
import { schedulerSettings } from "../config.ts";
import { captureConsole } from "../console-capture.ts";
import { optionContext } from "../context.ts";
import { inspectValue } from "../inspect.ts";
import { watchInterruption } from "../interrupt.ts";
import { openScheduler } from "../open-scheduler.ts";
import { showProgress } from "../progress.ts";
import { Exit, errorJson, reportError } from "../report.ts";
import { resultDocument } from "../run-document.ts";
import { readInput, rerunCall } from "../run-input.ts";
import { logRun } from "../run-log.ts";
import { addRunOptions, mergeRunOptions, type RunOptions } from "../run-options.ts";
import { executionTags, findGitTags } from "../run-tags.ts";
import { parseTag } from "../tag-text.ts";
import { taskHelp, taskInfo, tasksHelp } from "../task-help.ts";
import { parameterValues, positionalArguments, taskCommand } from "../task-options.ts";
import { errorFrames, findTask, openWorkflow, type Workflow } from "../workflow.ts";

/** `redun run SCRIPT TASK [--arg VALUE]...` */
export async function run(cli: Cli, words: string[], options: Record<string, unknown>): Promise<void> {
  try {
    await prepareAndRun(cli, words, options);
  } catch (error) {
    if (!(error instanceof Exit) && wantsJson(words, options)) {
      // Whoever reads stdout as JSON gets a document however early the run failed.
      cli.output.print(
        JSON.stringify({ status: "FAILED", executionId: null, error: errorJson(error) }, undefined, 2),
      );
    }
    throw error;
  }
}

function wantsJson(words: readonly string[], { format }: Record<string, unknown>): boolean {
  return (
    format === "json" ||
    words.some((word, i) => word === "--format=json" || (word === "--format" && words[i + 1] === "json"))
  );
}

async function prepareAndRun(cli: Cli, words: string[], first: Record<string, unknown>): Promise<void> {
  const { output } = cli;
  captureConsole(output);
  const [script, ...afterScript] = words;
  if (script === undefined)
    throw new UsageError("Which workflow? Usage: redun run SCRIPT TASK [--arg VALUE]...");
  const between = parseBetween(afterScript);
  const [name, ...tail] = between.words;
  const repo = openRepoConfig(cli);
  logHead(cli, repo.dir);
  const git = findGitTags();
  const workflow = await openWorkflow(script, repo.dir, output);
  if (name === "help") return output.print(tasksHelp(workflow));
  if (name === undefined) {
    throw new UsageError(`Which task of ${script}?`, {
      hint:
        workflow.tasks.length > 0
          ? `Its tasks: ${workflow.tasks.map(({ task }) => task.fullname).join(", ")}.`
          : undefined,
    });
  }
  const early = mergeRunOptions([first, between.options]);
  const rerunning = early.rerun === true || tail.includes("--rerun");
  let scheduler = rerunning ? await openScheduler(repo.config, repo.dir, cli.globals.setup) : undefined;
  try {
    const earlier = scheduler === undefined ? undefined : await rerunCall(scheduler.backend, name);
    const { task, described } = findTask(workflow, earlier?.task ?? name);
    if (
      tail[0] === "help" ||
      (tail.includes("--help") && !described.parameters.some((p) => p.name === "help"))
    ) {
      return output.print(taskHelp(workflow.script, described, task.definition.defaults));
    }
    if (tail[0] === "info") return output.print(taskInfo(task));
    const { options, args } = parseTail(task, described, tail, early, earlier?.args ?? []);
    const ready = scheduler ?? (await openScheduler(repo.config, repo.dir, cli.globals.setup));
    // From here on it is closed together with what is told of the run.
    scheduler = undefined;
    await execute(cli, ready, { workflow, task, args, options, git, config: repo.config });
  } finally {
    await scheduler?.close();
  }
}

/** Options of `run` may also stand between SCRIPT and TASK. */
function parseBetween(words: readonly string[]): { options: Record<string, unknown>; words: string[] } {
  const command = addRunOptions(new Command("run"))
    .argument("[words...]")
    .helpOption(false)
    .passThroughOptions()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  parseQuietly(command, words);
  return { options: command.opts(), words: command.args };
}

/** After TASK come the task's options, and those of `run` that the task has no parameter for. */
function parseTail(
  task: Task,
  described: PackageTask,
  tail: readonly string[],
  early: RunOptions,
  earlier: readonly unknown[],
): { options: RunOptions; args: unknown[] } {
  const command = taskCommand(described);
  addRunOptions(command, new Set(command.options.flatMap(({ long, short }) => [long!, short ?? ""])));
  parseQuietly(command, tail);
  if (command.args.length > 0) throw new ArgumentError(`unrecognized arguments: ${command.args.join(" ")}`);
  const words = command.opts();
  const names = new Set(described.parameters.map(({ name }) => name));
  const runWords = Object.entries(words).filter(([key]) => !names.has(key));
  const options = mergeRunOptions([
    early as unknown as Record<string, unknown>,
    Object.fromEntries(runWords),
  ]);
  const values = parameterValues(described, words);
  const { defaults } = task.definition;
  const base = options.input === undefined ? earlier : readInput(options.input, described);
  return { options, args: positionalArguments(described, values, base, defaults) };
}

/** Parses, with errors in the words of this command. */
function parseQuietly(command: Command, words: readonly string[]): void {
  try {
    command.parse([...words], { from: "user" });
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    if (typeof code !== "string" || !code.startsWith("commander.")) throw error;
    const text = message
      .replace(/^error: /, "")
      .replace(/^option '.*(--[\w-]+) <.*>' argument missing$/, "argument $1: expected an argument");
    throw new ArgumentError(text);
  }
}

interface Run {
  readonly workflow: Workflow;
  readonly task: Task;
  readonly args: readonly unknown[];
  readonly options: RunOptions;
  readonly git: ReturnType<typeof findGitTags>;
  readonly config: Parameters<typeof schedulerSettings>[0];
}

/** Runs the call, tells what happens meanwhile, and shows its result or error. */
async function execute(cli: Cli, scheduler: Scheduler, run: Run): Promise<void> {
  const { output } = cli;
  const { options, config } = run;
  const settings = schedulerSettings(config);
  const stopLog = logRun(scheduler, output, settings);
  const stopProgress = process.stderr.isTTY ? showProgress(scheduler, output) : () => {};
  const interrupt = watchInterruption(output, () => scheduler.running().map(({ call }) => call));
  const document = resultDocument(scheduler);
  let outcome: { value: unknown } | { error: unknown };
  try {
    const value = await scheduler.run(rootCall(run.task, run.args, options), {
      cache: options.cache,
      dryRun: options.dryrun ?? false,
      prov: options.prov,
      tags: executionTags(options, config, await run.git, run.task.namespace),
      context: optionContext(options.contextFile, options.context),
      ...(options.executionId === undefined ? {} : { executionId: options.executionId }),
      signal: interrupt.signal,
      args: cli.argv,
    });
    outcome = { value };
  } catch (error) {
    outcome = { error };
  } finally {
    stopProgress();
    stopLog();
    interrupt.stop();
  }
  const { stalled, stray } = interrupt;
  if (stalled !== undefined && "error" in outcome) outcome = { error: stalledError(stalled) };
  if (stray !== undefined) outcome = { error: strayError(stray.error) };
  const late = await closeQuietly(scheduler);
  if (late !== undefined && "value" in outcome)
    outcome = { error: Object.assign(late, { result: outcome.value }) };
  finish(cli, outcome, options, document);
  if (interrupt.signal.aborted && stalled === undefined && stray === undefined)
    throw new Exit(EXIT.interrupted);
  if ("error" in outcome) throw new Exit(EXIT.failed);
}

function strayError(error: unknown): RedunClientError {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const place = errorFrames(error)[0];
  return new RedunClientError(
    `Cannot go on with the execution: code that no job waits for threw ${text}${place === undefined ? "" : ` (${place})`}`,
    {
      hint: "Await every promise in a task, and catch what callbacks throw.",
      cause: error,
    },
  );
}

function stalledError(calls: readonly string[]): RedunClientError {
  const shown = calls.slice(0, 5).join(", ");
  return new RedunClientError(
    `Cannot finish the execution: what ${shown || "it"} waits for can no longer happen`,
    {
      hint: "Every promise that a task returns must settle. Look for a callback that is never called.",
      fields: { calls },
    },
  );
}

function rootCall(task: Task, args: readonly unknown[], options: RunOptions): unknown {
  const overrides = Object.fromEntries(
    (options.option ?? []).map((text) => {
      const { key, value } = parseTag(text);
      return [key, value];
    }),
  );
  const target = options.option === undefined ? task : task.options(overrides);
  return target(...args);
}

async function closeQuietly(scheduler: Scheduler): Promise<Error | undefined> {
  try {
    await scheduler.close();
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

/** Shows the result on stdout and the error, if there is one, on stderr. */
function finish(
  { output }: Cli,
  outcome: { value: unknown } | { error: unknown },
  { format }: RunOptions,
  document: ReturnType<typeof resultDocument>,
): void {
  if (format === "json") output.print(JSON.stringify(document(outcome), undefined, 2));
  if ("value" in outcome) {
    if (format === "text") printResult(outcome.value, output);
    return;
  }
  const { error } = outcome;
  // Recording failed after the work was done: the result is there all the same.
  if (format === "text" && hasResult(error)) printResult(error.result, output);
  const { code } = (error ?? {}) as { code?: unknown };
  const traceback = errorTraceback(error);
  if (code === "cancelled")
    output.log("The execution was cancelled. A later run goes on from its cached results.", "WARN");
  else if (traceback !== undefined) {
    output.log("*** Execution failed. Traceback (most recent task last):", "ERROR");
    output.log(formatTraceback(traceback), "ERROR");
    const { hint } = error as { hint?: unknown };
    if (typeof hint === "string") output.log(`Hint: ${hint}`, "ERROR");
  } else if (code !== "dry-run") reportError(error, output);
}

function hasResult(error: unknown): error is { result: unknown } {
  return typeof error === "object" && error !== null && Object.hasOwn(error, "result");
}

function printResult(value: unknown, output: Cli["output"]): void {
  if (value !== undefined && value !== null) output.print(inspectValue(value));
}
