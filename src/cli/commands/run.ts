import { dirname } from "node:path";
import { Command } from "commander";
import type { Backend } from "../../backend/backend.ts";
import type { PackageTask } from "../../package/types.ts";
import type { Scheduler } from "../../scheduler/scheduler.ts";
import type { Task } from "../../task/task.ts";
import { mergeObjects } from "../../value/nested.ts";
import { type Cli, logHead, namedRepo, openOwnConfig, openRepoConfig, type Repo } from "../cli.ts";
import { ArgumentError, EXIT, RedunClientError, UsageError } from "../client-error.ts";
import { schedulerSettings } from "../config.ts";
import { captureConsole } from "../console-capture.ts";
import { configContext, optionContext } from "../context.ts";
import { watchInterruption } from "../interrupt.ts";
import { openScheduler } from "../open-scheduler.ts";
import { showProgress } from "../progress.ts";
import { formatAddress } from "../remote/address.ts";
import type { Connection } from "../remote/connect.ts";
import { type ServerTarget, serverTarget } from "../remote/target.ts";
import { Exit, errorJson } from "../report.ts";
import { type Outcome, resultDocument } from "../run-document.ts";
import { readInput, rerunCall } from "../run-input.ts";
import { logRun } from "../run-log.ts";
import { addRunOptions, addServerOptions, mergeRunOptions, type RunOptions } from "../run-options.ts";
import { showOutcome } from "../run-result.ts";
import { executionTags, findGitTags } from "../run-tags.ts";
import { parseTag } from "../tag-text.ts";
import { taskHelp, taskInfo, tasksHelp } from "../task-help.ts";
import { parameterValues, positionalArguments, taskCommand } from "../task-options.ts";
import { errorFrames, findScript, findTask, openWorkflow, type Workflow } from "../workflow.ts";

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
  const repo = openWorkplace(cli);
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
  const place = new Place(cli, repo);
  try {
    const rerunning = early.rerun === true || tail.includes("--rerun");
    const earlier = rerunning
      ? await rerunCall(await place.records(rerunOptions(early, tail)), name)
      : undefined;
    const { task, described } = findTask(workflow, earlier?.task ?? name);
    if (
      tail[0] === "help" ||
      (tail.includes("--help") && !described.parameters.some((p) => p.name === "help"))
    ) {
      return output.print(taskHelp(workflow.script, described, task.definition.defaults));
    }
    if (tail[0] === "info") return output.print(taskInfo(task));
    const { options, args } = parseTail(task, described, tail, early, earlier?.args ?? []);
    const recorded = earlier?.args ?? [];
    const run: Run = { workflow, task, args, recorded, options, git, config: repo.config };
    const target = serverTarget(cli, options);
    if (target !== undefined) await runElsewhere(cli, await place.connection(target), run);
    else {
      checkLocal(options);
      // From here on it is closed together with what is told of the run.
      await execute(cli, await place.takeScheduler(), run);
    }
  } finally {
    await place.close();
  }
}

/** The configuration by which the workflow is built; if the repository is on a server, that is the one here. */
function openWorkplace(cli: Cli): Repo {
  const { repo } = cli.globals;
  const isElsewhere = repo !== undefined && namedRepo(cli, repo).server !== undefined;
  return isElsewhere ? openOwnConfig(cli) : openRepoConfig(cli);
}

/** Where the run is to be: its scheduler here, or the server's. Either is opened once, when it is first asked for. */
class Place {
  private readonly cli: Cli;
  private readonly repo: Repo;
  private scheduler: Scheduler | undefined = undefined;
  private connected: Connection | undefined = undefined;

  constructor(cli: Cli, repo: Repo) {
    this.cli = cli;
    this.repo = repo;
  }

  /** The records of earlier runs. */
  async records(options: RunOptions): Promise<Backend> {
    const target = serverTarget(this.cli, options);
    if (target !== undefined) return (await this.connection(target)).records;
    return (await this.openScheduler()).backend;
  }

  async connection(target: ServerTarget): Promise<Connection> {
    const { connect } = await import("../remote/connect.ts");
    this.connected ??= await connect(target);
    return this.connected;
  }

  /** The scheduler, which whoever takes it closes. */
  async takeScheduler(): Promise<Scheduler> {
    const scheduler = await this.openScheduler();
    this.scheduler = undefined;
    return scheduler;
  }

  private async openScheduler(): Promise<Scheduler> {
    const { config, dir } = this.repo;
    this.scheduler ??= await openScheduler(config, dir, this.cli.globals.setup);
    return this.scheduler;
  }

  async close(): Promise<void> {
    await this.scheduler?.close();
  }
}

/** The options with a server among the words after TASK, which are not parsed before the task is known. */
function rerunOptions(early: RunOptions, tail: readonly string[]): RunOptions {
  const command = addServerOptions(new Command("run"))
    .argument("[words...]")
    .helpOption(false)
    .allowUnknownOption()
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  parseQuietly(command, tail);
  return { ...early, ...command.opts() };
}

/** @throws UsageError if an option is given that makes sense on a server only */
function checkLocal({ detach, upload }: RunOptions): void {
  if (!detach && !upload) return;
  throw new UsageError(`Cannot use --${detach ? "detach" : "upload"} without a server`, {
    hint: "Name it with --server URL, the environment variable REDUN_SERVER, or --repo.",
  });
}

/** Has a server run the call, and shows how it goes there. */
async function runElsewhere(cli: Cli, connection: Connection, run: Run): Promise<void> {
  const { workflow, task, args, recorded, options, git, config } = run;
  if (cli.globals.setup.length > 0)
    throw new UsageError("Cannot use --setup on a server: its scheduler is its operator's");
  const settings = schedulerSettings(config);
  const [{ buildForServer, startRun }, { followRun }] = await Promise.all([
    import("../remote/start-run.ts"),
    import("../remote/follow.ts"),
  ]);
  const call = {
    package: buildForServer(findScript(workflow.script)),
    task: task.fullname,
    args,
    recorded,
    options,
    tags: executionTags(options, config, await git, task.namespace),
    context: mergeObjects(configContext(settings), optionContext(options.contextFile, options.context)),
    argv: cli.argv,
  };
  const { url, repo } = connection.target;
  cli.output.log(`server: ${formatAddress({ url, repo })}`);
  const id = await startRun(connection, call, cli.output);
  if (!options.detach) {
    const folder = dirname(findScript(workflow.script));
    return followRun(cli.output, connection, id, { ...settings, format: options.format, folder });
  }
  const json = JSON.stringify({ status: "QUEUED", executionId: id }, undefined, 2);
  cli.output.print(options.format === "json" ? json : id);
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
  /** Those of the earlier run, if it is run again. */
  readonly recorded: readonly unknown[];
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
  let outcome: Outcome;
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
  showOutcome(output, outcome, options.format, document);
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
