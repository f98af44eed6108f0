/** Runs a job that never ends in another process, and prints that process's id. */
import { jobSpec } from "../../src/executor/contract.ts";
import { ProcessExecutor } from "../../src/executors/process-executor.ts";
import * as tasks from "./tasks.ts";

const executor = new ProcessExecutor({
  modules: [new URL("./tasks.ts", import.meta.url).href],
  maxWorkers: 1,
});
void executor.run(jobSpec(tasks.spin, []), {
  signal: new AbortController().signal,
  log: (line) => console.log(line),
});
