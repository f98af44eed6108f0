import { afterAll, describe, expect, test } from "vitest";
import { describeExecutor } from "../../src/executor/contract.ts";
import { ContractExecutor } from "./executors.ts";

describeExecutor("in isolates", () => new ContractExecutor(), {
  describe,
  test,
  expect,
  afterAll,
  skip: { interrupt: "here isolates share one thread" },
});
