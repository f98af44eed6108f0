/** All that the store knows of one job, and why it ran. */
import type { CallNodeRow, TagRow, ValueRow } from "../../src/backend/backend.ts";
import type { TaskRecord } from "../../src/backend/records.ts";
import { sourceOfTask } from "./code-history.ts";
import { getCallNodes, getJobs, getTags, getTasks, getValues, query } from "./store.ts";
import { sortedArguments } from "./values.ts";

/** An argument of a call. */
export interface Argument {
  readonly name: string;
  readonly valueHash: string;
  readonly value: ValueRow | undefined;
  /** Calls whose results it was computed from. */
  readonly upstream: readonly string[];
}

/** What is recorded of a job's call. */
export interface CallStory {
  readonly call: CallNodeRow;
  readonly task: TaskRecord | undefined;
  readonly args: readonly Argument[];
  readonly result: ValueRow | undefined;
  readonly tags: readonly TagRow[];
}

/** Reads a call with its arguments and result. */
export async function readCall(callHash: string): Promise<CallStory | undefined> {
  const call = (await getCallNodes([callHash])).get(callHash);
  if (call === undefined) return undefined;
  const [values, tasks, tags] = await Promise.all([
    getValues([call.valueHash, ...call.args.map(({ valueHash }) => valueHash)]),
    getTasks([call.taskHash]),
    getTags([callHash]),
  ]);
  const task = tasks.get(call.taskHash);
  return {
    call,
    task,
    args: namedArguments(call, task).map(({ name, argument }) => ({
      name,
      valueHash: argument.valueHash,
      value: values.get(argument.valueHash),
      upstream: argument.upstream,
    })),
    result: values.get(call.valueHash),
    tags: tags.get(callHash) ?? [],
  };
}

function namedArguments(
  call: CallNodeRow,
  task: TaskRecord | undefined,
): { name: string; argument: CallNodeRow["args"][number] }[] {
  return sortedArguments(call).map((argument) => ({
    name: argument.key ?? task?.parameters[argument.position!] ?? `argument ${argument.position! + 1}`,
    argument,
  }));
}

/** What differed from the call that a job is most like. */
export type Change =
  /** Of the task's own text, or of the whole workflow where that is the same and the workflow is known. */
  | {
      readonly kind: "code";
      readonly before: string | undefined;
      readonly after: string | undefined;
      readonly isOwnSource: boolean;
    }
  | {
      readonly kind: "argument" | "file";
      readonly name: string;
      readonly before: ValueRow | undefined;
      readonly after: ValueRow | undefined;
    };

/** Why a job did not take an earlier result. */
export type Reason =
  | { readonly kind: "first" }
  /** Nothing differed: the earlier result was not taken for another reason. */
  | { readonly kind: "same"; readonly executionId: string }
  | { readonly kind: "changed"; readonly executionId: string; readonly changes: readonly Change[] };

/** Executions before this one in which to look, and calls in them. */
const EARLIER_EXECUTIONS = 100;
/** Older ones are not found among all, which come newest first. */
const KNOWN_EXECUTIONS = 5000;
const EARLIER_CALLS = 400;

/**
 * Compares a call with the nearest one of the same task in the executions before: that with the same arguments, else
 * the one that shares most of them, the newest first. The store's own `nearestCall` would find the call itself.
 */
export async function whyItRan(story: CallStory, executionId: string): Promise<Reason> {
  const { call } = story;
  const earlier = await earlierCalls(call, executionId);
  let best: { call: CallNodeRow; executionId: string; likeness: number } | undefined;
  for (const candidate of earlier) {
    const likeness = likenessOf(call, candidate.call);
    if (best === undefined || likeness > best.likeness) best = { ...candidate, likeness };
  }
  if (best === undefined) return { kind: "first" };
  const changes = await changesBetween(best.call, story);
  const { executionId: before } = best;
  return changes.length === 0
    ? { kind: "same", executionId: before }
    : { kind: "changed", executionId: before, changes };
}

async function earlierCalls(
  call: CallNodeRow,
  executionId: string,
): Promise<{ call: CallNodeRow; executionId: string }[]> {
  const executions = await query("find", { type: "Execution", limit: KNOWN_EXECUTIONS });
  const ids = executions.map(({ id }) => id);
  const at = ids.indexOf(executionId);
  const before = at < 0 ? [] : ids.slice(at + 1, at + 1 + EARLIER_EXECUTIONS);
  if (before.length === 0) return [];
  const jobs = await getJobs(
    (
      await query("find", {
        type: "Job",
        executionIds: before,
        taskNames: [call.taskName],
        limit: EARLIER_CALLS,
      })
    ).map(({ id }) => id),
  );
  const newest = [...jobs.values()].sort((a, b) => b.startTime - a.startTime);
  const calls = await getCallNodes(newest.flatMap(({ callHash }) => callHash ?? []));
  return newest.flatMap((job) => {
    const node = job.callHash === null ? undefined : calls.get(job.callHash);
    return node === undefined ? [] : [{ call: node, executionId: job.executionId }];
  });
}

/** The same arguments count most, then the same code, then each argument that is equal. */
function likenessOf(call: CallNodeRow, other: CallNodeRow): number {
  const values = new Map(other.args.map((arg) => [arg.key ?? arg.position, arg.valueHash]));
  const equal = call.args.filter((arg) => values.get(arg.key ?? arg.position) === arg.valueHash).length;
  return (other.argsHash === call.argsHash ? 1000 : 0) + (other.taskHash === call.taskHash ? 100 : 0) + equal;
}

async function changesBetween(before: CallNodeRow, { call, task, args }: CallStory): Promise<Change[]> {
  const changes: Change[] = [];
  const tasks = await getTasks([before.taskHash]);
  const earlierTask = tasks.get(before.taskHash);
  if (before.taskHash !== call.taskHash) {
    const [was, is] = [earlierTask?.source, task?.source];
    const isOwnSource = was?.trim() !== is?.trim();
    const sources = isOwnSource
      ? [was, is]
      : await Promise.all([before.taskHash, call.taskHash].map(sourceOfTask));
    changes.push({ kind: "code", before: sources[0], after: sources[1], isOwnSource });
  }
  const earlier = new Map(
    namedArguments(before, earlierTask).map(({ name, argument }) => [name, argument.valueHash]),
  );
  const values = await getValues(earlier.values());
  for (const { name, valueHash, value } of args) {
    const hash = earlier.get(name);
    if (hash === valueHash) continue;
    const was = hash === undefined ? undefined : values.get(hash);
    const isFile = value?.file != null && was?.file === value.file;
    changes.push({ kind: isFile ? "file" : "argument", name, before: was, after: value });
  }
  return changes;
}
