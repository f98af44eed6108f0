import { keepForeignValues } from "../../value/foreign.ts";
import { type Cli, hasConfig, openOwnConfig } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { schedulerSettings } from "../config.ts";
import { findRecord } from "../find-record.ts";
import { type Connection, connect } from "../remote/connect.ts";
import { followRun, isOnlyStored, showStored } from "../remote/follow.ts";
import { type ServerOptions, type ServerTarget, serverTarget } from "../remote/target.ts";

/** `redun attach ID` */
export async function attach(cli: Cli, words: string[], options: Record<string, unknown>): Promise<void> {
  const [word, ...rest] = words;
  if (word === undefined || rest.length > 0)
    throw new UsageError("Which execution? Usage: redun attach ID --server URL");
  const { format = "text" } = options as { format?: "text" | "json" };
  const connection = await connect(targetOf(cli, options, "attach"));
  // Types of the workflow's own are not known here.
  keepForeignValues();
  const id = await executionId(connection, word);
  try {
    await followRun(cli.output, connection, id, { ...logSettings(cli), format });
  } catch (error) {
    if (!isOnlyStored(error)) throw error;
    await showStored(cli.output, connection, id, format);
  }
}

/** `redun cancel ID...` */
export async function cancel(cli: Cli, words: string[], options: ServerOptions): Promise<void> {
  if (words.length === 0) throw new UsageError("Which executions? Usage: redun cancel ID... --server URL");
  const connection = await connect(targetOf(cli, options, "cancel"));
  for (const word of words) {
    const id = await executionId(connection, word);
    const did = await connection.repo.cancel(id);
    cli.output.print(did ? `Cancelled ${id}` : `${id} has ended already`);
  }
}

function targetOf(cli: Cli, options: ServerOptions, verb: string): ServerTarget {
  const target = serverTarget(cli, options);
  if (target !== undefined) return target;
  throw new UsageError(`Cannot ${verb}: on which server?`, {
    hint: "Name it with --server URL, the environment variable REDUN_SERVER, or --repo. Ctrl-C ends a run here.",
  });
}

/** The execution that a word means. One that waits is not recorded yet, and has to be named in full. */
async function executionId({ records }: Connection, word: string): Promise<string> {
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(word)) return word;
  return (await findRecord(records, word, ["Execution"])).id;
}

/** How the log is to be, if there is a configuration; none is made. */
function logSettings(cli: Cli): { statusInterval: number; ignoreWarnings: readonly string[] } {
  if (!hasConfig(cli)) return { statusInterval: 20, ignoreWarnings: [] };
  return schedulerSettings(openOwnConfig(cli).config);
}
