import "./dynamic-imports.ts";
import { expect } from "vitest";
import { describeExecutor } from "../../src/executor/contract.ts";
import { WebWorkerExecutor } from "../../src/executors/web-worker-executor.ts";
import { serveSuite } from "./worker-suite.ts";

const here = (path: string): string => new URL(path, import.meta.url).href;

serveSuite((functions) => {
  describeExecutor(
    "in workers of a worker",
    () =>
      new WebWorkerExecutor({
        url: here("./job-worker.ts"),
        modules: [here("../../src/executor/contract-tasks.ts")],
        maxWorkers: 2,
      }),
    // They end with the page.
    { ...functions, expect, afterAll() {} },
  );
});
