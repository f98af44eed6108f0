import { test } from "vitest";
import { adoptSuite } from "./worker-suite.ts";

const worker = new Worker(new URL("./nested-executor-suite.ts", import.meta.url), { type: "module" });
await adoptSuite(worker, test);
