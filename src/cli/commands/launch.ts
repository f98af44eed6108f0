import { spawn } from "node:child_process";
import { script } from "../../builtins/script.ts";
import { uuid } from "../../util/uuid.ts";
import { type Cli, logHead, openRepoConfig, type Repo } from "../cli.ts";
import { EXIT, RedunClientError, suggestion, UsageError } from "../client-error.ts";
import { schedulerSettings } from "../config.ts";
import { makeExecutors } from "../executors.ts";
import { watchInterruption } from "../interrupt.ts";
import { openScheduler } from "../open-scheduler.ts";
import type { ServerOptions, ServerTarget } from "../remote/target.ts";
import { serverTarget } from "../remote/target.ts";
import { Exit } from "../report.ts";
import { resultDocument } from "../run-document.ts";
import { logRun } from "../run-log.ts";
import { mergeRunOptions } from "../run-options.ts";
import { showOutcome } from "../run-result.ts";
import { executionTags, findGitTags } from "../run-tags.ts";
import { parseTag } from "../tag-text.ts";
import { shellQuote } from "../text.ts";

interface LaunchOptions extends ServerOptions {
  readonly executor?: string;
  readonly option?: readonly string[];
  readonly codePackage?: boolean;
  readonly wait?: boolean;
}

/** `redun launch CMD...` */
export async function launch(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const options = given as LaunchOptions;
  if (words.length === 0) throw new UsageError("Which command? Usage: redun launch --executor NAME CMD...");
  const target = serverTarget(cli, options);
  if (target !== undefined) return launchThere(cli, target, words, options);
  const repo = openRepoConfig(cli);
  checkExecutor(repo, options);
  if (options.wait) return runHere(cli, repo, words, options);
  const id = leaveRunning(cli, words);
  cli.output.log(`Launched the execution ${id}. Look into it with: redun log ${id}`);
  cli.output.print(id);
}

/** @throws RedunClientError if the executor is none, or takes no code packages that are to be sent */
function checkExecutor({ config, dir }: Repo, { executor, codePackage }: LaunchOptions): void {
  const names = makeExecutors(config, dir).map(({ name }) => name);
  if (executor === undefined) {
    throw new RedunClientError("Cannot launch: on which executor?", {
      hint: `Name it with --executor. Executors: ${names.join(", ")}.`,
    });
  }
  if (!names.includes(executor)) {
    throw new RedunClientError(`Unknown executor ${executor}`, {
      hint: suggestion(executor, names, "Executors"),
    });
  }
  if (codePackage) {
    throw new RedunClientError(
      `Cannot send a code package to the executor ${executor}: it is on this machine`,
    );
  }
}

/** One word is a line for the shell, as it is; more are a command and its arguments. */
const commandOf = (words: readonly string[]): string =>
  words.length === 1 ? words[0]! : words.map(shellQuote).join(" ");

function taskOptions({ executor, option = [] }: LaunchOptions): Record<string, unknown> {
  const options = option.map((text) => parseTag(text)).map(({ key, value }) => [key, value] as const);
  // Launching means to run, whatever ran before.
  return { ...Object.fromEntries(options), ...(executor === undefined ? {} : { executor }), cache: false };
}

/** Runs the command, and shows what it printed. */
async function runHere(cli: Cli, repo: Repo, words: readonly string[], given: LaunchOptions): Promise<void> {
  const { output } = cli;
  const { config, dir } = repo;
  logHead(cli, dir);
  const scheduler = await openScheduler(config, dir, cli.globals.setup);
  const stopLog = logRun(scheduler, output, schedulerSettings(config));
  const interrupt = watchInterruption(output, () => scheduler.running().map(({ call }) => call));
  const document = resultDocument(scheduler);
  const executionId = process.env[LAUNCH_ID];
  try {
    const stdout = (await scheduler.run(script(commandOf(words), taskOptions(given)), {
      tags: executionTags(mergeRunOptions([]), config, await findGitTags(), ""),
      // The process that was left behind has one word more than the user typed.
      args: executionId === undefined ? cli.argv : cli.argv.toSpliced(-words.length - 1, 1),
      signal: interrupt.signal,
      ...(executionId === undefined ? {} : { executionId }),
    })) as Uint8Array;
    stopLog();
    output.write(stdout);
  } catch (error) {
    stopLog();
    showOutcome(output, { error }, "text", document);
    throw new Exit(interrupt.signal.aborted ? EXIT.interrupted : EXIT.failed);
  } finally {
    interrupt.stop();
    await scheduler.close();
  }
}

/** Names the execution to the process that is left behind. */
const LAUNCH_ID = "REDUN_LAUNCH_ID";

/** Has another process run the command, which goes on when this one ends. @returns the id of the execution */
function leaveRunning(cli: Cli, words: readonly string[]): string {
  const id = uuid();
  const args = cli.argv.slice(1);
  const before = args.slice(0, args.length - words.length);
  const child = spawn(process.execPath, [process.argv[1]!, ...before, "--wait", ...words], {
    detached: true,
    stdio: "ignore",
    env: { ...process.env, [LAUNCH_ID]: id },
  });
  child.unref();
  return id;
}

/** The workflow that runs a command on a server. */
const WORKFLOW = `import { script, task } from "redun";
export const launch = task("launch.command", (command: string, options: object) => script(command, options));
`;

async function launchThere(
  cli: Cli,
  target: ServerTarget,
  words: readonly string[],
  given: LaunchOptions,
): Promise<void> {
  const { output } = cli;
  if (given.codePackage)
    throw new RedunClientError("Cannot send a code package: the server gets what it runs");
  if (words[0] === "redun" && words[1] === "run") {
    const { run } = await import("./run.ts");
    const { executor, wait, option = [], server, serverRepo } = given;
    const more = executor === undefined ? option : [...option, `executor=${executor}`];
    const first = { server, serverRepo, detach: !wait, ...(more.length === 0 ? {} : { option: more }) };
    return run(cli, words.slice(2), first);
  }
  const [{ connect }, { buildForServer, startRun }, { followRun }] = await Promise.all([
    import("../remote/connect.ts"),
    import("../remote/start-run.ts"),
    import("../remote/follow.ts"),
  ]);
  const connection = await connect(target);
  const { config } = openRepoConfig({ ...cli, globals: { ...cli.globals, repo: "default" } });
  const call = {
    package: buildForServer("launch.ts", { "launch.ts": WORKFLOW }),
    task: "launch.command",
    args: [commandOf(words), taskOptions(given)],
    recorded: [],
    options: mergeRunOptions([{ cache: false }]),
    tags: executionTags(mergeRunOptions([]), config, await findGitTags(), ""),
    context: {},
    argv: cli.argv,
  };
  const id = await startRun(connection, call, output);
  if (!given.wait) return output.print(id);
  await followRun(output, connection, id, { ...schedulerSettings(config), format: "text", raw: true });
}
