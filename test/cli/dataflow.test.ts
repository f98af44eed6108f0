import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DataflowRoot } from "../../src/backend/dataflow.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { dataflowJson, dataflowText } from "../../src/cli/dataflow-text.ts";
import { Scheduler, task } from "../../src/index.ts";
import { steady } from "./harness.ts";

const planet = task("flow.planet", () => "World");
const greeter = task("flow.greeter", (greet: string, thing: string) => `${greet}, ${thing}!`);
const main = task("flow.main", (greet: string) => greeter(greet, planet()));

const pair = task("flow.pair", () => ["a", "b"]);
const join = task("flow.join", (x: string, y: string) => x + y);
const parts = task("flow.parts", () => pair());
const mixed = task("flow.mixed", () => {
  const both = pair();
  return join(both[0]!, both[1]!);
});

const source = task("flow.source", () => 5);
const twice = task("flow.twice", (a: number, b: number) => a + b);
const shared = task("flow.shared", () => {
  const x = source();
  return twice(x, x);
});
const inc = task("flow.inc", (x: number) => x + 1);
const chain = task("flow.chain", (x: number) => inc(inc(x)));
const build = task("flow.build", (list: number[]) => list.length * 100);
const gathered = task("flow.gathered", () => build([source(), inc(41)]));

describe("The upstream data flow", () => {
  const backend = new SqliteBackend(":memory:");
  const scheduler = new Scheduler({ backend });
  beforeAll(() => scheduler.load());
  afterAll(() => scheduler.close());

  async function rootOf(expression: unknown, name: string): Promise<DataflowRoot> {
    await scheduler.run(expression);
    const [execution] = await backend.find({ type: "Execution", limit: 1 });
    const found = await backend.find({ type: "Job", executionIds: [execution!.id], taskNames: [name] });
    const [row] = await backend.getJobs([found.at(-1)!.id]);
    const [call] = await backend.getCallNodes([row!.callHash!]);
    return { kind: "CallNode", call: call! };
  }

  const flow = async (expression: unknown, name: string): Promise<string> =>
    steady(await dataflowText(backend, await rootOf(expression, name)));

  test("routes a result through the calls that passed it on, down to what it was made of", async () => {
    expect(await flow(main("Hello"), "flow.main")).toBe(`result <-- <HASH> flow.main(greet)
       <-- <HASH> flow.greeter(greet, thing)
  greet = <HASH> 'Hello'
  thing = <HASH> 'World'

greet <-- argument of <HASH> flow.main(greet)
      <-- origin

thing <-- <HASH> flow.planet()
      <-- origin`);
  });

  test("gives repeated names numbers", async () => {
    expect(await flow(chain(1), "flow.chain")).toBe(`result <-- <HASH> flow.chain(x)
       <-- <HASH> flow.inc(x)
  x = <HASH> 2

x <-- <HASH> flow.inc(x_2)
  x_2 = <HASH> 1

x_2 <-- argument of <HASH> flow.chain(x)
    <-- origin`);
  });

  test("gives a value that several arguments use a section of its own", async () => {
    expect(await flow(shared(), "flow.shared")).toBe(`result <-- <HASH> flow.shared()
       <-- <HASH> flow.twice(a, b)
  a = <HASH> 5
  b = <HASH> 5

a <-- source_result

b <-- source_result

source_result <-- <HASH> flow.source()
              <-- origin`);
  });

  test("shows what an argument built of several results derives from, the later first", async () => {
    expect(await flow(gathered(), "flow.gathered")).toBe(`result <-- <HASH> flow.gathered()
       <-- <HASH> flow.build(list)
  list = <HASH> [ 5, 42 ]

list <-- derives from
  inc_result    = <HASH> 42
  source_result = <HASH> 5

inc_result <-- <HASH> flow.inc(x)
  x = <HASH> 41

x <-- origin

source_result <-- <HASH> flow.source()
              <-- origin`);
  });

  test("starts at a value from the newest call that made it", async () => {
    const root = await rootOf(main("Hey"), "flow.greeter");
    const valueHash = root.kind === "CallNode" ? root.call.valueHash : "";
    const [value] = await backend.getValues([valueHash]);
    expect(steady(await dataflowText(backend, { kind: "Value", value: value! }))).toMatch(
      /^value <-- <HASH> flow\.greeter\(greet, thing\)\n {2}greet = <HASH> 'Hey'/,
    );
  });

  test("is there as JSON too", async () => {
    const sections = await dataflowJson(backend, await rootOf(main("Json"), "flow.main"));
    expect(sections).toMatchObject([
      {
        assign: { var_name: "result", prefix: "", display: "flow.main(greet)" },
        routing: [{ display: "flow.greeter(greet, thing)" }],
        args: [
          { var_name: "greet", value_display: "'Json'" },
          { var_name: "thing", value_display: "'World'" },
        ],
      },
      {
        assign: { var_name: "greet", prefix: "argument of" },
        routing: [{ display: "origin", hash: null }],
        args: [],
      },
      { assign: { var_name: "thing", display: "flow.planet()" }, args: [] },
    ]);
  });

  test("ends where a chain is longer than anybody reads", async () => {
    const countdown = task("flow.countdown", (n: number): unknown => (n === 0 ? 0 : countdown(n - 1)));
    const text = await flow(countdown(3000), "flow.countdown");
    expect(text.length).toBeGreaterThan(1000);
  });

  test("knows the parts of results", async () => {
    expect(await flow(mixed(), "flow.mixed")).toMatch(/x <-- .*pair/s);
    expect(await flow(parts(), "flow.parts")).toBe(`result <-- <HASH> flow.parts()
       <-- <HASH> flow.pair()
       <-- origin`);
  });
});
