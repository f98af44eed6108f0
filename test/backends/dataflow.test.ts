import { expect, test } from "vitest";
import { traceDataflow } from "../../src/backend/dataflow.ts";
import { batchOf, callOf, taskOf, valueRecord } from "../../src/backends/contract-records.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";

const [leaf, main] = [taskOf("flow.leaf"), taskOf("flow.main")];
const result = valueRecord("result");
const leaves = Array.from({ length: 3000 }, (_, i) =>
  callOf({ task: leaf, args: [valueRecord(i)], value: result, timestamp: i }),
);

test("of a value that very many calls returned, the newest ones are looked at where reading is limited", async () => {
  const backend = new MemoryBackend();
  await backend.write(batchOf({ tasks: [leaf], callNodes: leaves }));
  const [value] = await backend.getValues([result.hash]);
  const flow = await traceDataflow(backend, { kind: "Value", value: value! }, { maxReads: 5000 });
  expect(flow.isComplete).toBe(true);
  expect(flow.sources.get(flow.root.key)).toMatchObject([{ call: { callHash: leaves.at(-1)!.callHash } }]);
});

test("what comes from very much is followed as far as reading is allowed, and told to be cut", async () => {
  const backend = new MemoryBackend();
  const call = callOf({ task: main, args: [], value: valueRecord("sum"), children: leaves });
  await backend.write(batchOf({ tasks: [leaf, main], callNodes: [...leaves, call] }));
  const [row] = await backend.getCallNodes([call.callHash]);
  const root = { kind: "CallNode", call: row! } as const;
  const cut = await traceDataflow(backend, root, { maxReads: 2000 });
  expect([cut.isComplete, cut.sources.size]).toEqual([false, 0]);
  const whole = await traceDataflow(backend, root);
  expect(whole.isComplete).toBe(true);
  expect((await traceDataflow(backend, root, { limit: 1 })).isComplete).toBe(false);
});
