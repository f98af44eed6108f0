import { buildPackage } from "../../package/index.ts";
import type { StoredPackage } from "../../package/types.ts";
import type { ExecutionRequest } from "../../server/api-types.ts";
import type { Json } from "../../value/json.ts";
import type { Output } from "../output.ts";
import type { RunOptions } from "../run-options.ts";
import type { ExecutionTag } from "../run-tags.ts";
import { parseTag } from "../tag-text.ts";
import { plural } from "../text.ts";
import { encodeArguments } from "./arguments.ts";
import type { Connection } from "./connect.ts";

/** What is to be run on a server. */
export interface RemoteCall {
  /** The workflow, as it is built. */
  readonly package: Promise<StoredPackage>;
  /** Fullname of the task. */
  readonly task: string;
  readonly args: readonly unknown[];
  /** Arguments of an earlier run there, of which these are a change. */
  readonly recorded: readonly unknown[];
  readonly options: RunOptions;
  readonly tags: readonly ExecutionTag[];
  readonly context: Readonly<Record<string, unknown>>;
  /** The command line to record. */
  readonly argv: readonly string[];
}

/** Builds a workflow for where no npm packages are installed. @param files - texts by path, instead of files */
export function buildForServer(entry: string, files?: Record<string, string>): Promise<StoredPackage> {
  return buildPackage(entry, { npm: "inline", ...(files === undefined ? {} : { files }) });
}

/**
 * Builds the workflow, sends its package unless the server has it, and starts the execution.
 *
 * @returns the id of the execution
 */
export async function startRun(connection: Connection, call: RemoteCall, output: Output): Promise<string> {
  const { repo } = connection;
  const { options } = call;
  // An argument that can't be sent is told of first.
  call.package.catch(() => {});
  const { recorded } = call;
  const upload = options.upload ?? false;
  const args = await encodeArguments(connection, call.args, { upload, recorded, output });
  const pkg = await call.package;
  if (!(await repo.hasPackage(pkg.hash))) {
    await repo.putPackage(pkg);
    output.log(`Sent the code package ${pkg.hash.slice(0, 8)} (${plural(pkg.code.length, "character")})`);
  }
  const request: ExecutionRequest = {
    package: pkg.hash,
    task: call.task,
    args,
    options: {
      ...(options.cache ? {} : { cache: false }),
      ...(options.dryrun ? { dryRun: true } : {}),
      ...(options.prov ? {} : { prov: false }),
      ...(options.option === undefined ? {} : { task: taskOptions(options.option) }),
    },
    tags: call.tags,
    ...(Object.keys(call.context).length === 0 ? {} : { context: call.context as Record<string, Json> }),
    ...(options.executionId === undefined ? {} : { id: options.executionId }),
    commandLine: call.argv,
  };
  return repo.start(request);
}

function taskOptions(words: readonly string[]): Record<string, Json> {
  return Object.fromEntries(
    words.map((text) => {
      const { key, value = null } = parseTag(text);
      return [key, value];
    }),
  );
}
