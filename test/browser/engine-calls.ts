/** Engines for tests, and calls of them. */
import type {
  Engine,
  EngineOptions,
  RunOutcome,
  RunRequest,
  WorkflowSource,
} from "../../src/browser/engine-api.ts";
import { startEngine } from "../../src/browser/start-engine.ts";
import { decodeValue, encodeValue } from "../../src/index.ts";
import type { CallStore } from "./calls.ts";

const built = (file: string): URL => new URL(file, location.origin);
/** Of the bundled workers. */
export const urls: { esbuild: URL; engine: URL; job: URL } = {
  esbuild: built("esbuild.wasm"),
  engine: built("engine-worker.js"),
  job: built("job-worker.js"),
};

/** What most tests run. */
export const WORKFLOW = `import { task } from "redun";
import { scale } from "./helper.ts";

export const double = task("tab.double", (n: number) => scale(n));
export const add = task("tab.add", (a: number, b: number) => a + b);
/** Doubles two numbers and adds them. */
export const main = task("tab.main", (a: number, b = 3) => add(double(a), double(b)));
export const later = task("tab.later", async (n: number) => (await double(n)) + 1);
export const fail = task("tab.fail", (text: string): string => {
  throw new RangeError(text);
});
export const spin = task("tab.spin", (): string => {
  for (;;);
});
`;
const HELPER = "export const scale = (n: number): number => n * 2;\n";

/** Those two files as a workflow. */
export const source = (workflow: string = WORKFLOW, helper: string = HELPER): WorkflowSource => ({
  entry: "workflow.ts",
  files: { "workflow.ts": workflow, "helper.ts": helper },
});

const opened: Engine[] = [];

/** Opens a repository, until {@link closeAll}. */
export async function open(repo: string, options: EngineOptions = {}): Promise<Engine> {
  const engine = await startEngine({ repo, workers: 2, urls, ...options });
  opened.push(engine);
  return engine;
}

/** Closes all that is open. */
export async function closeAll(): Promise<void> {
  for (const engine of opened.splice(0)) await engine.close();
}

/** A request of a task of a workflow. */
export async function request(
  engine: Engine,
  task: string,
  args: readonly unknown[],
  text: WorkflowSource = source(),
): Promise<RunRequest> {
  return {
    executionId: crypto.randomUUID(),
    package: (await engine.build(text)).hash,
    task,
    args: args.map((arg) => encodeValue(arg).text),
  };
}

/** Runs a task to its end. */
export async function runOn(engine: Engine, ...rest: Rest): Promise<RunOutcome> {
  const asked = await request(engine, ...rest);
  await engine.start(asked);
  return (await engine.outcome(asked.executionId))!;
}

/** What names a call: the task, its arguments, its workflow. */
export type Rest = [task: string, args: readonly unknown[], text?: WorkflowSource];

/** The result of an execution that succeeded. */
export function resultOf(outcome: RunOutcome): unknown {
  if (outcome.status !== "DONE") throw new Error(`${outcome.status}: ${JSON.stringify(outcome.error)}`);
  return decodeValue(outcome.value);
}

/** The records of an engine's repository. */
export function storeOf(engine: Engine): CallStore {
  return {
    find: (query) => engine.query("find", query),
    exportRecords: (ids) => engine.query("exportRecords", ids),
    getValues: (hashes) => engine.query("getValues", hashes),
  };
}

/** The jobs of the last execution, by how they ended. */
export async function jobsOf(engine: Engine): Promise<Record<string, string[]>> {
  const events = await engine.eventsAfter(0);
  const start = events.findLastIndex(({ type }) => type === "execution-start");
  const found: Record<string, string[]> = {};
  for (const event of events.slice(start)) {
    if (event.type !== "job-end") continue;
    found[event.status] ??= [];
    found[event.status]!.push(event.job.call);
  }
  return found;
}
