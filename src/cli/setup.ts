import { isAbsolute, resolve } from "node:path";
import { loadWorkflow } from "../package/build-cache.ts";
import { Scheduler } from "../scheduler/scheduler.ts";
import { parameterNames } from "../task/parameters.ts";
import { type Cli, openRepoConfig } from "./cli.ts";
import { ArgumentError, RedunClientError } from "./client-error.ts";
import { type Config, schedulerSettings } from "./config.ts";
import { parseTag } from "./tag-text.ts";
import { version } from "./version.ts";
import { findScript } from "./workflow.ts";

type SetupFunction = (config: Config, ...args: unknown[]) => Scheduler | Promise<Scheduler>;

/** The user's function that makes the scheduler, and the names of its parameters after the configuration. */
interface Setup {
  readonly fn: SetupFunction;
  readonly parameters: readonly string[];
}

/** Loads what `setup_scheduler = file::function` names. The file is relative to the configuration's folder. */
async function loadSetup(config: Config, dir: string): Promise<Setup | undefined> {
  const { setup } = schedulerSettings(config);
  if (setup === undefined) return undefined;
  const split = setup.lastIndexOf("::");
  const file = split < 0 ? "" : setup.slice(0, split);
  const name = setup.slice(split + 2);
  if (file === "" || name === "") {
    throw new RedunClientError(`Cannot use setup_scheduler = ${setup}: expected file::function`);
  }
  const path = findScript(isAbsolute(file) ? file : resolve(dir, file));
  const { package: pkg } = await loadWorkflow(path, { dir, version: version() });
  const fn = pkg.exports[name];
  if (typeof fn !== "function")
    throw new RedunClientError(`Cannot use setup_scheduler = ${setup}: ${file} exports no function ${name}`);
  return { fn: fn as SetupFunction, parameters: parameterNames(fn.toString()).slice(1) };
}

/** The scheduler that the user's own function makes, if the configuration names one. */
export async function setupScheduler(
  config: Config,
  dir: string,
  given: readonly string[],
): Promise<Scheduler | undefined> {
  const setup = await loadSetup(config, dir);
  const values = new Map(
    given.map((text) => {
      const { key, value } = parseTag(text);
      return [key, value] as const;
    }),
  );
  const unknown = [...values.keys()].find((key) => !setup?.parameters.includes(key));
  if (unknown !== undefined) {
    throw new ArgumentError(`unrecognized setup argument: ${unknown}`, {
      hint:
        setup === undefined
          ? "Set setup_scheduler in [scheduler] of redun.ini first."
          : `Known: ${setup.parameters.join(", ") || "none"}.`,
    });
  }
  if (setup === undefined) return undefined;
  const args = setup.parameters.map((name) => values.get(name) ?? undefined);
  while (args.length > 0 && args.at(-1) === undefined) args.pop();
  const scheduler = await setup.fn(config, ...args);
  if (scheduler instanceof Scheduler) return scheduler;
  throw new RedunClientError("The setup_scheduler function must return a Scheduler");
}

/** `redun --setup-help` */
export async function setupHelp(cli: Cli): Promise<void> {
  const { config, dir } = openRepoConfig(cli);
  const setup = await loadSetup(config, dir);
  if (setup === undefined) return cli.output.print("No setup_scheduler function is configured.");
  const defaults = defaultTexts(setup.fn.toString());
  const lines = setup.parameters.map((name) => `  --setup ${name}=${defaults.get(name) ?? "..."}`);
  cli.output.print(["Setup arguments:", ...(lines.length > 0 ? lines : ["  none"])].join("\n"));
}

/** Simple defaults as they are written. */
function defaultTexts(source: string): Map<string, string> {
  const head = source.slice(0, source.search(/=>|\)\s*\{/) + 1);
  return new Map(
    [...head.matchAll(/([\w$]+)\s*=\s*("[^"]*"|'[^']*'|[\w.+-]+)/g)].map(([, name, text]) => [name!, text!]),
  );
}
