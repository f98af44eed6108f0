import type { Backend, RecordJson } from "../../src/backend/backend.ts";
import { type ErrorValue, hashValue } from "../../src/index.ts";
import { decodeValue } from "../../src/value/value.ts";

/** The records of calls, in an order that depends on nothing else. */
export type Calls = readonly RecordJson[];

/** What is asked of a store. */
export type CallStore = Pick<Backend, "find" | "exportRecords" | "getValues">;

/**
 * The calls of an execution, or of all: everything that a store exports of them, except the time. That is the hashes of
 * task, arguments (those two make the eval hash), single reduction, result and call, where each argument came from, and
 * the calls and tasks below.
 *
 * What is recorded of a failure tells which jobs led there, so it is never the same twice. The hash of the error is in
 * its place, and such a call, or one that has such a call below, goes by its name and the hash of its arguments.
 */
export async function callsOf(store: CallStore, executionId?: string): Promise<Calls> {
  const found = await store.find({
    type: "CallNode",
    ...(executionId === undefined ? {} : { executionIds: [executionId] }),
  });
  const calls = (await store.exportRecords(found.map(({ id }) => id))) as unknown as CallRecord[];
  const names = await errorNames(store, calls);
  for (let before = -1; before < names.size; ) {
    before = names.size;
    for (const { call_hash, task_name, args_hash, value_hash, children, args } of calls) {
      if (![value_hash, ...children].some((hash) => names.has(hash))) continue;
      names.set(call_hash, `${task_name} of ${args_hash}`);
      for (const [key, { arg_hash }] of Object.entries(args)) names.set(arg_hash, `argument ${key}`);
    }
  }
  return calls.map((call) => renamed(call, names)).sort(byText);
}

interface CallRecord {
  readonly call_hash: string;
  readonly task_name: string;
  readonly args_hash: string;
  readonly value_hash: string;
  readonly timestamp: string;
  readonly children: readonly string[];
  readonly args: Readonly<Record<string, { readonly arg_hash: string }>>;
}

/** The hashes of the errors in results, by the results' hashes. */
async function errorNames(store: CallStore, calls: readonly CallRecord[]): Promise<Map<string, string>> {
  const rows = await store.getValues([...new Set(calls.map(({ value_hash }) => value_hash))]);
  return new Map(
    rows.flatMap((row) => {
      if (row?.type !== "redun.ErrorValue") return [];
      const { error } = decodeValue(row.text) as ErrorValue;
      return [[row.hash, `error ${hashValue(error)}`] as const];
    }),
  );
}

/** A record without its time, and with names in the place of hashes. */
function renamed({ timestamp: _, ...call }: CallRecord, names: ReadonlyMap<string, string>): RecordJson {
  const text = JSON.stringify(call).replace(/\b[0-9a-f]{40}\b/g, (hash) => names.get(hash) ?? hash);
  // The calls that an argument came from are in the order of their hashes, and those below in that in which they began.
  const isSet = (key: string): boolean => key === "upstream" || key === "children";
  return JSON.parse(text, (key, value) => (isSet(key) ? value.sort() : value)) as RecordJson;
}

function byText(a: RecordJson, b: RecordJson): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1;
}
