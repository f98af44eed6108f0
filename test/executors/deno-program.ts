/** Uses an executor, and prints what came of it. */
import { jobSpec, recordingContext } from "../../src/executor/contract.ts";
import * as contract from "../../src/executor/contract-tasks.ts";
import { ProcessExecutor } from "../../src/executors/process-executor.ts";
import { decodeValue } from "../../src/value/value.ts";
import * as tasks from "./tasks.ts";

const modules = ["../../src/executor/contract-tasks.ts", "./tasks.ts"].map(
  (path) => new URL(path, import.meta.url).href,
);
const mode = process.argv[2] as "process" | "thread";
const executor = new ProcessExecutor({ modules, mode, maxWorkers: 2 });
const run = async (spec: ReturnType<typeof jobSpec>, context = recordingContext()): Promise<unknown> => {
  const result = await executor.run(spec, context);
  if (!result.ok) throw new Error(result.error.record.message);
  return decodeValue(result.value);
};
const message = (running: Promise<unknown>): Promise<unknown> =>
  running.catch((error: Error) => error.message);

const values = await Promise.all(Array.from({ length: 300 }, (_, i) => run(jobSpec(contract.add, [i, 1]))));
const context = recordingContext();
await run(jobSpec(contract.print, [["one", "two"]]), context);
const controller = new AbortController();
const spinning = run(jobSpec(tasks.spin, []), {
  ...recordingContext(controller.signal),
  log: () => controller.abort(new Error("stop")),
});
const cancelled = await message(spinning);
const lost = await message(run(jobSpec(tasks.exit, [3])));
const stdout = (await run(jobSpec(contract.shell, [""], { script: "echo hi" }))) as Uint8Array;
await executor.close();
const script = new TextDecoder().decode(stdout);
console.log(JSON.stringify({ values, lines: context.lines, cancelled, lost, script }));
