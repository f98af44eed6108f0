import { hasCode } from "../../errors/redun-error.ts";
import type { Traceback } from "../../scheduler/traceback.ts";
import { ServerError } from "../../server/client.ts";
import { decodeValue } from "../../value/value.ts";
import { EXIT, RedunClientError } from "../client-error.ts";
import type { Output } from "../output.ts";
import { showProgress } from "../progress.ts";
import { Exit } from "../report.ts";
import { type Outcome, resultDocument } from "../run-document.ts";
import { logRun, type RunLogOptions } from "../run-log.ts";
import { showOutcome } from "../run-result.ts";
import type { Connection } from "./connect.ts";
import { withLocalPlaces } from "./local-places.ts";
import { RemoteRun, remoteError } from "./remote-run.ts";
import { watchSignals } from "./signals.ts";
import "../value-types.ts";

/** Options of {@link followRun}. */
export interface FollowOptions extends RunLogOptions {
  readonly format: "text" | "json";
  /** The folder of the workflow, if it is here. */
  readonly folder?: string;
  /** Whether a result of bytes is written as it is. */
  readonly raw?: boolean;
}

/**
 * Shows a run on a server as it goes, then its result or error, as if it ran here.
 *
 * @param id - of an execution that was asked for there
 * @throws Exit unless it ended well
 */
export async function followRun(
  output: Output,
  connection: Connection,
  id: string,
  options: FollowOptions,
): Promise<void> {
  const { repo } = connection;
  const run = new RemoteRun();
  const stopLog = logRun(run, output, options);
  const document = resultDocument(run);
  const isTerminal = process.stdin.isTTY === true && process.stderr.isTTY === true;
  const start = (): (() => void) => (process.stderr.isTTY ? showProgress(run, output) : () => {});
  let stopProgress = start();
  const left = new AbortController();
  let cancelled = false;
  /** Unresolved while a question is open, so that nothing is written into it. */
  let gate: PromiseWithResolvers<void> | undefined;
  const stopSignals = watchSignals({
    output,
    isTerminal,
    onAsking(asking) {
      if (asking) {
        stopProgress();
        gate = Promise.withResolvers();
      } else {
        stopProgress = start();
        gate?.resolve();
        gate = undefined;
      }
    },
    onWish(wish) {
      if (wish === "detach") return left.abort();
      cancelled = true;
      output.log("Cancelling the execution; press Ctrl-C to leave it to the server.", "WARN");
      repo.cancel(id).catch((error: unknown) => {
        output.log(`Cannot cancel the execution: ${(error as Error).message}`, "ERROR");
      });
    },
  });
  try {
    for await (const event of repo.events(id, { signal: left.signal })) {
      if (gate !== undefined) await Promise.race([gate.promise, aborted(left.signal)]);
      if (left.signal.aborted) break;
      run.take(event);
    }
  } catch (error) {
    if (!left.signal.aborted) {
      if (error instanceof ServerError && !isOnlyStored(error)) output.log(goesOn(connection, id), "WARN");
      throw error;
    }
  } finally {
    stopProgress();
    stopLog();
    stopSignals();
  }
  if (left.signal.aborted) {
    output.log(goesOn(connection, id), "WARN");
    if (options.format === "json")
      output.print(JSON.stringify({ status: "RUNNING", executionId: id }, undefined, 2));
    throw new Exit(EXIT.interrupted);
  }
  const outcome = await outcomeOf(connection, id, run, options.folder);
  if (options.raw && "value" in outcome && outcome.value instanceof Uint8Array)
    return output.write(outcome.value);
  showOutcome(output, outcome, options.format, document);
  if ("value" in outcome) return;
  throw new Exit(cancelled && hasCode(outcome.error, "cancelled") ? EXIT.interrupted : EXIT.failed);
}

const goesOn = ({ target }: Connection, id: string): string =>
  `The execution ${id} goes on. Follow it with: redun ${target.words} attach ${id}`;

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

/** How a run ended, with its result, which the store has where it is too long to be told with the end. */
async function outcomeOf(
  { repo, records }: Connection,
  id: string,
  run: RemoteRun,
  folder: string | undefined,
): Promise<Outcome> {
  const { outcome } = run;
  if (outcome === undefined) return storedOutcome(repo, records, id);
  if (outcome.status !== "DONE") {
    const { error, traceback } = outcome;
    const isHere = traceback !== undefined && folder !== undefined;
    return { error: remoteError(error, isHere ? withLocalPlaces(traceback, folder) : traceback) };
  }
  if (outcome.value !== undefined) return { value: decodeValue(outcome.value) };
  const [row] = await records.getValues([outcome.valueHash]);
  if (row !== undefined) return { value: decodeValue(row.text) };
  return {
    error: new RedunClientError(
      `Cannot show the result: it is long, and was not recorded: ${outcome.preview}`,
      {
        hint: "Leave out --no-prov, or have the task write a file.",
      },
    ),
  };
}

/** What the server's store knows of an execution whose events are gone, or that was not run there. */
async function storedOutcome(
  repo: Connection["repo"],
  records: Connection["records"],
  id: string,
): Promise<Outcome> {
  const { status, result, error } = await repo.execution(id);
  if (result !== null) {
    const [row] = await records.getValues([result.hash]);
    if (row !== undefined) return { value: decodeValue(row.text) };
  }
  if (error !== null) {
    const { name, message } = error;
    return { error: remoteError({ name, message }, (error.traceback ?? undefined) as Traceback | undefined) };
  }
  return { error: new RedunClientError(`Cannot show how ${id} ended: it is ${status}, without a result`) };
}

/** The result of an execution that ended, as the store has it. */
export async function showStored(
  output: Output,
  { repo, records }: Connection,
  id: string,
  format: FollowOptions["format"],
): Promise<void> {
  const outcome = await storedOutcome(repo, records, id);
  showOutcome(output, outcome, format, resultDocument(new RemoteRun()));
  if ("error" in outcome) throw new Exit(EXIT.failed);
}

/** Whether the server knows an execution only from its store, so that there are no events of it. */
export function isOnlyStored(error: unknown): boolean {
  return error instanceof ServerError && error.code === "not-found";
}
