import { afterAll, expect, test } from "vitest";
import { commands } from "vitest/browser";
import errors from "../../examples/errors/workflow.ts?raw";
import weather2012 from "../../examples/folder/weather/2012.csv?raw";
import weather2013 from "../../examples/folder/weather/2013.csv?raw";
import weather2014 from "../../examples/folder/weather/2014.csv?raw";
import folder from "../../examples/folder/workflow.ts?raw";
import fractal from "../../examples/fractal/workflow.ts?raw";
import hello from "../../examples/hello/workflow.ts?raw";
import recursion from "../../examples/recursion/workflow.ts?raw";
import observations from "../../node_modules/vega-datasets/data/gapminder.json?raw";
import countries from "../../node_modules/vega-datasets/data/gapminder-health-income.csv?raw";
import { type Calls, callsOf } from "./calls.ts";
import type { ExampleCase } from "./elsewhere.ts";
import { closeAll, open, resultOf, runOn } from "./engine-calls.ts";

const OBSERVATIONS = "node_modules/vega-datasets/data/gapminder.json";
const COUNTRIES = "node_modules/vega-datasets/data/gapminder-health-income.csv";

interface Case extends ExampleCase {
  readonly text: string;
  /** The arguments by position. */
  readonly values: readonly unknown[];
  /** Whether calls in it fail. What is recorded of a failure tells which jobs led there, and so is never the same. */
  readonly fails?: true;
  /**
   * Files that it reads, by path. What is recorded of files has their places in it, so only results are the same, those
   * of one task.
   */
  readonly files?: Readonly<Record<string, string>>;
  /** The task whose results are compared. Default: the one that is run. */
  readonly compared?: string;
  /** Whether it uses npm packages. */
  readonly npm?: true;
}

/**
 * The examples, but for `compile`, which needs a C compiler.
 */
const cases: readonly Case[] = [
  { example: "hello", task: "hello.main", args: { word: "Hi" }, values: ["Hi"], text: hello },
  {
    example: "recursion",
    task: "recursion.sort",
    args: { xs: [3, 1, 2] },
    values: [[3, 1, 2]],
    text: recursion,
  },
  { example: "recursion", task: "recursion.fib", args: { n: 12 }, values: [12], text: recursion },
  { example: "errors", task: "errors.main", args: {}, values: [], text: errors, fails: true },
  { example: "errors", task: "errors.report", args: {}, values: [], text: errors, fails: true },
  {
    example: "fractal",
    task: "fractal.band",
    args: { view: { re: -0.6, im: 0, width: 3 }, size: 64, from: 8, to: 24 },
    values: [{ re: -0.6, im: 0, width: 3 }, 64, 8, 24],
    text: fractal,
  },
  {
    example: "folder",
    task: "folder.main",
    args: { folder: "weather" },
    upload: true,
    values: [],
    text: folder,
    // The default names them from the root of the project.
    files: {
      "examples/folder/weather/2012.csv": weather2012,
      "examples/folder/weather/2013.csv": weather2013,
      "examples/folder/weather/2014.csv": weather2014,
    },
  },
  {
    example: "vega",
    task: "vega.main",
    args: { observations: OBSERVATIONS, countries: COUNTRIES },
    upload: true,
    values: [],
    text: "",
    npm: true,
    files: { [OBSERVATIONS]: observations, [COUNTRIES]: countries },
    compared: "vega.summarize",
  },
];

/** What is compared of the calls of a case: all hashes, or where calls fail those of task and arguments, and the result. */
function comparable(calls: Calls, { task, fails, files, compared = task }: Case): Calls {
  if (files !== undefined) {
    const those = calls.filter((call) => call.startsWith(`${compared} `)).map((call) => call.split(" "));
    return those.map(([name, taskHash, , valueHash]) => [name, taskHash, valueHash].join(" "));
  }
  if (fails === undefined) return calls;
  return calls.map((call) => {
    const [name, taskHash, argsHash, valueHash] = call.split(" ");
    return [name, taskHash, argsHash, name === task ? valueHash : ""].join(" ");
  });
}

afterAll(closeAll);

test("the same workflows have the same hashes in Node, Deno, workerd and the browser", async () => {
  const elsewhere = await commands.runElsewhere(
    cases.map(({ example, task, args, upload }) => ({
      ...{ example, task, args },
      ...(upload === undefined ? {} : { upload }),
    })),
  );
  const engine = await open(`everywhere-${crypto.randomUUID()}`);
  for (const one of cases) {
    const { task, values, text, files = {}, npm, example } = one;
    const source = npm
      ? await commands.buildInNode(`examples/${example}/workflow.ts`)
      : { entry: "workflow.ts", files: { "workflow.ts": text } };
    for (const [path, content] of Object.entries(files)) await engine.addFile(path, new Blob([content]));
    resultOf(await runOn(engine, task, values, source));
    const [{ id } = { id: "" }] = await engine.query("find", { type: "Execution", limit: 1 });
    const browser = await callsOf({
      find: () => engine.query("find", { type: "CallNode", executionIds: [id] }),
      getCallNodes: (hashes) => engine.query("getCallNodes", hashes),
    });
    const { node, deno, workerd } = elsewhere[task]!;
    const expected = comparable(browser, one);
    expect(expected.length).toBeGreaterThan(0);
    expect({
      task,
      node: comparable(node, one),
      deno: comparable(deno, one),
      workerd: comparable(workerd, one),
    }).toEqual({ task, node: expected, deno: expected, workerd: expected });
  }
}, 120_000);
