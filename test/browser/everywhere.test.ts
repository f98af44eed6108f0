import { afterAll, expect, test } from "vitest";
import { commands } from "vitest/browser";
import observations from "../../node_modules/vega-datasets/data/gapminder.json?raw";
import countries from "../../node_modules/vega-datasets/data/gapminder-health-income.csv?raw";
import type { Engine, RunOutcome } from "../../src/browser/engine-api.ts";
import { hashContentFile, hashFileSet } from "../../src/file/hash-file.ts";
import { decodeValue, encodeValue } from "../../src/index.ts";
import type { PackageTask } from "../../src/package.ts";
import { hashBytes } from "../../src/value/hash.ts";
import type { Json } from "../../src/value/json.ts";
import { type Calls, callsOf } from "./calls.ts";
import type { WorkflowCase } from "./elsewhere.ts";
import { closeAll, open, storeOf } from "./engine-calls.ts";

type Texts = Readonly<Record<string, string>>;

const example = (name: string): string => `examples/${name}/workflow.ts`;

const program: Texts = await commands.readTexts("examples/compile/src");
const weather: Texts = await commands.readTexts("examples/folder/weather");
const words: Texts = { "poem.txt": "a rose is a rose is a rose\n" };

const hashOf = (path: string, text: string): string => hashContentFile(path, hashBytes(text));

/** A file that is known by its content. The hash of a plain `File` has the time in it, and the kind of storage. */
function contentFile(path: string, text: string): Json {
  return { $: ["redun.ContentFile", { hash: hashOf(path, text), path }] };
}

/** A folder of such files. */
function contentDir(path: string, files: Texts): Json {
  const hashes = Object.entries(files).map(([path, text]) => hashOf(path, text));
  return { $: ["redun.ContentDir", { hash: hashFileSet("ContentDir", path, hashes), path }] };
}

const cases: readonly WorkflowCase[] = [
  { workflow: example("hello"), task: "hello.main", args: { word: "Hi" } },
  { workflow: example("recursion"), task: "recursion.sort", args: { xs: [3, 1, 2] } },
  { workflow: example("recursion"), task: "recursion.fib", args: { n: 12 } },
  { workflow: example("errors"), task: "errors.main", args: {} },
  { workflow: example("errors"), task: "errors.report", args: {} },
  { workflow: example("errors"), task: "errors.main", args: { stations: ["Accra", "Rome"] }, fails: true },
  { workflow: example("fractal"), task: "fractal.main", args: { size: 64, bands: 4, out: "out/set.bmp" } },
  {
    workflow: example("folder"),
    task: "folder.main",
    args: { folder: contentDir("weather", weather) },
    files: weather,
  },
  {
    workflow: example("vega"),
    task: "vega.main",
    args: {
      observations: contentFile("gapminder.json", observations),
      countries: contentFile("countries.csv", countries),
    },
    files: { "gapminder.json": observations, "countries.csv": countries },
  },
  {
    workflow: example("compile"),
    task: "compile.main",
    args: {
      text: contentFile("poem.txt", words["poem.txt"]!),
      src: contentDir("src", program),
      out: "build",
    },
    files: { ...program, ...words },
    needs: { program: "gcc", task: "compile.compile" },
  },
  {
    workflow: "web/examples/csv.ts",
    task: "csv.main",
    args: { file: contentFile("weather/2012.csv", weather["weather/2012.csv"]!) },
    files: weather,
  },
  { workflow: "test/browser/features.ts", task: "features.main", args: {} },
  {
    workflow: "test/browser/words.ts",
    task: "words.main",
    args: { file: contentFile("poem.txt", words["poem.txt"]!) },
    files: words,
  },
];

afterAll(closeAll);

/** Encodings by position, as the forms of the app make them. */
function positional(args: WorkflowCase["args"], { parameters }: PackageTask): (string | undefined)[] {
  const last = parameters.findLastIndex(({ name }) => Object.hasOwn(args, name));
  return parameters
    .slice(0, last + 1)
    .map(({ name }) =>
      Object.hasOwn(args, name) ? encodeValue(decodeValue(JSON.stringify(args[name]))).text : undefined,
    );
}

interface InTab {
  readonly calls: Calls;
  readonly outcome: RunOutcome;
  /** Names of the workflow's tasks. */
  readonly tasks: readonly string[];
}

async function allInTab(): Promise<InTab[]> {
  const engine = await open(`everywhere-${crypto.randomUUID()}`);
  const results: InTab[] = [];
  for (const one of cases) results.push(await runInTab(engine, one));
  return results;
}

async function runInTab(engine: Engine, { workflow, task, args, files = {} }: WorkflowCase): Promise<InTab> {
  const { files: sources, entry } = await commands.buildInNode(workflow);
  for (const [path, text] of Object.entries(files)) await engine.addFile(path, new Blob([text]));
  const { hash, manifest } = await engine.build({ entry, files: sources });
  const called = manifest.tasks.find(({ fullname }) => fullname === task)!;
  const executionId = crypto.randomUUID();
  await engine.start({ executionId, package: hash, task, args: positional(args, called) });
  const outcome = (await engine.outcome(executionId))!;
  return {
    calls: await callsOf(storeOf(engine), executionId),
    outcome,
    tasks: manifest.tasks.map(({ fullname }) => fullname),
  };
}

test("the same workflows have the same hashes in Node, Deno, workerd and the browser", async () => {
  const running = commands.runElsewhere(cases);
  // Also after a failure here it has to end, as it started processes.
  const inTab = await allInTab().finally(() => running);
  const elsewhere = await running;
  const called = new Set<unknown>();
  for (const [i, { task, fails, needs }] of cases.entries()) {
    const { node, deno, workerd, outcome } = elsewhere[i]!;
    const tab = inTab[i]!;
    for (const { task_name } of node) called.add(task_name);
    expect({ task, deno }).toEqual({ task, deno: node });
    if (needs === undefined) {
      const status = fails ? "FAILED" : "DONE";
      expect([task, outcome.status, tab.outcome.status]).toEqual([task, status, status]);
      expect({ task, workerd, tab: tab.calls }).toEqual({ task, workerd: node, tab: node });
    } else {
      const ending = {
        status: "FAILED",
        error: {
          code: "script",
          message: expect.stringContaining(`${needs.program}: command not found`),
          hint: expect.stringContaining(`no program ${needs.program}`),
        },
        traceback: { frames: expect.arrayContaining([expect.objectContaining({ task: needs.task })]) },
      };
      expect([outcome, tab.outcome]).toMatchObject([ending, ending]);
    }
  }
  // All of the examples, and all that is in them.
  expect(cases.map(({ workflow }) => workflow)).toEqual(
    expect.arrayContaining(await commands.listExamples()),
  );
  expect(inTab.flatMap(({ tasks }) => tasks).filter((task) => !called.has(task))).toEqual([]);
}, 120_000);
