/** What the benchmark does in a tab: a page that starts an engine and runs a fan-out twice. */
import type { RunOutcome } from "../src/browser/engine-api.ts";
import { startEngine } from "../src/browser/start-engine.ts";

const WORKFLOW = `import { task } from "redun";
const inc = task("bench.inc", (n: number) => n + 1);
const total = task("bench.total", (items: readonly number[]) => items.reduce((sum, n) => sum + n, 0));
export const fan = task("bench.fan", (n: number) => total(Array.from({ length: n }, (_, i) => inc(i))));
`;

/** Milliseconds of each part. `longTask` is the longest that the page's own thread was busy at a time. */
export interface TabTimes {
  readonly cold: number;
  readonly cached: number;
  readonly longTask: number;
}

async function measure(jobs: number, store: "opfs" | "indexeddb"): Promise<TabTimes> {
  let longTask = 0;
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) longTask = Math.max(longTask, entry.duration);
  }).observe({ type: "longtask" });
  const engine = await startEngine({
    repo: `bench-${crypto.randomUUID()}`,
    store,
    urls: { engine: "/engine-worker.js", job: "/job-worker.js", esbuild: "/esbuild.wasm" },
  });
  const { hash } = await engine.build({ entry: "bench.ts", files: { "bench.ts": WORKFLOW } });
  const run = async (n: number): Promise<number> => {
    const executionId = crypto.randomUUID();
    const start = performance.now();
    await engine.start({ executionId, package: hash, task: "bench.fan", args: [String(n)] });
    const outcome: RunOutcome | undefined = await engine.outcome(executionId);
    if (outcome?.status !== "DONE") throw new Error(`The fan-out failed: ${JSON.stringify(outcome)}`);
    return performance.now() - start;
  };
  // Workers are started and code is compiled before anything is measured, as in the other benchmarks.
  await run(500);
  const [cold, cached] = [await run(jobs), await run(jobs)];
  await engine.close();
  return { cold, cached, longTask };
}

Object.assign(globalThis, { measure });
