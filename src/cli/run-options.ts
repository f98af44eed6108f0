import { type Command, Option } from "commander";
import { collect } from "./cli.ts";

/** Options of `run`. */
export interface RunOptions {
  readonly cache: boolean;
  readonly prov: boolean;
  readonly dryrun?: boolean;
  readonly rerun?: boolean;
  readonly option?: readonly string[];
  readonly tag?: readonly string[];
  readonly project?: string;
  readonly doc?: string;
  readonly user?: string;
  readonly excludeUser?: readonly string[];
  readonly input?: string;
  readonly executionId?: string;
  readonly contextFile?: string;
  readonly context?: readonly string[];
  readonly format: "text" | "json";
  readonly server?: string;
  readonly serverRepo?: string;
  readonly detach?: boolean;
  readonly upload?: boolean;
}

/** Adds the options of `run` to a command, except those whose long name is taken. */
export function addRunOptions(command: Command, taken: ReadonlySet<string> = new Set()): Command {
  const options = [
    new Option("--no-cache", "run every task again"),
    new Option("--no-prov", "record nothing"),
    new Option("--dryrun", "only find out whether anything would run"),
    new Option("--rerun", "TASK is the id of a job or execution to run again"),
    repeatable("-o, --option <k=v>", "option of the root task (repeatable)"),
    repeatable("-t, --tag <k=v>", "tag of the execution (repeatable)"),
    new Option("-p, --project <name>", "tag of the execution: its project"),
    new Option("--doc <text>", "tag of the execution: what it is for"),
    new Option("-u, --user <name>", "tag of the execution: who runs it"),
    repeatable("--exclude-user <name>", "user whose name is not recorded (repeatable)"),
    new Option("-i, --input <file>", "file with the task's arguments as JSON"),
    new Option("--execution-id <id>", "id of the execution"),
    new Option("--context-file <file>", "file with the context as JSON"),
    repeatable("--context <k=v>", "a value of the context, at a path such as a.b (repeatable)"),
    new Option("--format <format>", "form of the result").choices(["text", "json"]),
    ...serverOptions(),
    new Option("--detach", "on a server: print the execution's id and leave it to itself"),
    new Option("--upload", "on a server: send files of this machine that are arguments"),
  ];
  for (const option of options) {
    if (taken.has(option.long!)) continue;
    // A short name may be free where the long one is not, and the other way round.
    command.addOption(option);
  }
  return command;
}

/** The options that have a command work on a server. */
function serverOptions(): Option[] {
  return [
    new Option("--server <url>", "server to work on (default: $REDUN_SERVER)"),
    new Option("--server-repo <name>", "repository of the server (default: default)"),
  ];
}

export function addServerOptions(command: Command): Command {
  for (const option of serverOptions()) command.addOption(option);
  return command;
}

function repeatable(flags: string, description: string): Option {
  return new Option(flags, description).argParser(collect);
}

/** Joins options given in several places: later ones win, repeatable ones add up. */
export function mergeRunOptions(parts: readonly Readonly<Record<string, unknown>>[]): RunOptions {
  const merged: Record<string, unknown> = { cache: true, prov: true, format: "text" };
  for (const part of parts) {
    for (const [key, value] of Object.entries(part)) {
      if (value === undefined) continue;
      if (key === "cache" || key === "prov") merged[key] = merged[key] === true && value === true;
      else if (Array.isArray(value)) merged[key] = [...((merged[key] as unknown[]) ?? []), ...value];
      else merged[key] = value;
    }
  }
  return merged as unknown as RunOptions;
}
