/** What a value was made by, one step at a time. */
import { type CallStory, readCall } from "./job-story.ts";
import { getCallNodes, query } from "./store.ts";

/** Calls that only hand on what others made. */
const INTERNAL: ReadonlySet<string> = new Set(["redun.root_task"]);
/** A value such as `0` may be the result of ever so many calls. */
const MOST_CALLS = 200;

/** The newest call that made a value, rather than handed on what a call below it had made. */
export async function makerOf(valueHash: string): Promise<CallStory | undefined> {
  const hashes = (await query("callsOfValue", valueHash, "result")).slice(0, MOST_CALLS);
  const calls = await getCallNodes(hashes);
  const candidates = [...calls.values()]
    .filter(({ taskName }) => !INTERNAL.has(taskName))
    .sort((a, b) => b.timestamp - a.timestamp);
  const maker =
    candidates.find(({ children }) => !children.some((child) => calls.has(child))) ?? candidates[0];
  return maker === undefined ? undefined : readCall(maker.callHash);
}

/** A job that made a call, the newest. */
export async function jobOfCall(callHash: string): Promise<{ id: string; executionId: string } | undefined> {
  const [found] = await query("find", { type: "Job", callHashes: [callHash], limit: 1 });
  if (found === undefined) return undefined;
  const [job] = await query("getJobs", [found.id]);
  return job === undefined ? undefined : { id: job.id, executionId: job.executionId };
}
