import type { Backend } from "../../src/backend/backend.ts";

/** The identities of calls: task, its hash, and the hashes of arguments, result and call, sorted. */
export type Calls = readonly string[];

/** All calls that a store has. */
export async function callsOf(store: Pick<Backend, "find" | "getCallNodes">): Promise<Calls> {
  const found = await store.find({ type: "CallNode" });
  const rows = await store.getCallNodes(found.map(({ id }) => id));
  return rows
    .map((row) => [row!.taskName, row!.taskHash, row!.argsHash, row!.valueHash, row!.callHash].join(" "))
    .sort();
}
