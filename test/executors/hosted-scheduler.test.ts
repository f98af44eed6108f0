import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { jobSpec, recordingContext } from "../../src/executor/contract.ts";
import { errorTraceback, formatTraceback, hashValue, task } from "../../src/index.ts";
import { Hosted, rejection } from "./hosted.ts";

const WORK = `
import { File, script, task } from "redun";
export const add = task("add", (a: number, b: number) => a + b);
export const shell = task("shell", (command: string) => script(command));
export const wide = task("wide", async (n: number) => {
  const values = await Promise.all(Array.from({ length: n }, async (_, i) => await add(i, 1)));
  return values.reduce((a, b) => a + b, 0);
});
export const waits = task("waits", async (n: number) => (await add(n, 1)) + 1);
export const many = task("many", (n: number) => Array.from({ length: n }, (_, i) => waits(i)));
export const deep = task("deep", async (n: number): Promise<number> =>
  n === 0 ? 0 : (await deep(n - 1)) + (await add(n, 0)),
);
export const scaled = task(
  { name: "scaled", defaults: [undefined, add(2, 3)], configArgs: ["label"] },
  (x: number, factor?: number, label?: string) => [x * factor!, label],
);
export const pair = task({ name: "pair", nout: 2 }, (x: number) => [x, x + 1]);
export const swapped = task("swapped", (x: number) => {
  const [a, b] = pair(x);
  return [b, a];
});
export const greet = task({ name: "greet", script: true }, (name: string) => "echo said $" + name + " >&2; printf hello");
export const greetLater = task({ name: "greet_later", script: true }, async (n: number) => \`printf \${await add(n, 1)}\`);
export const print = task("print", (line: string) => void console.log(line));
export const printLater = task("print_later", async (line: string) => {
  console.log("before", line);
  await add(1, line.length);
  console.error("after", line);
});
export const read = task("read", async (path: string) => await new File(path).text());
export const readHere = task("read_here", (path: string) => new File(path).text());
export const fails = task("fails", (what: string): number => {
  throw new RangeError("no " + what);
});
export const failsLater = task("fails_later", async (what: string) => (await fails(what)) + 1);
export const catches = task("catches", async () => {
  try {
    return await fails("luck");
  } catch (error) {
    return (error as Error).name + ": " + (error as Error).message;
  }
});
`;

describe("a scheduler of hosted packages", () => {
  const hosted = new Hosted();
  let hash: string;
  beforeEach(async () => {
    hash ??= await hosted.add(WORK);
  });
  afterAll(() => hosted.close());

  test("lets a job await a thousand others, and a thousand jobs one each", async () => {
    expect(await hosted.run(hash, "wide", 1000)).toBe(500_500);
    const values = (await hosted.run(hash, "many", 1000)) as number[];
    expect(values).toEqual(Array.from({ length: 1000 }, (_, i) => i + 2));
  });

  test("lets jobs await jobs that await jobs", async () => {
    expect(await hosted.run(hash, "deep", 50)).toBe(1275);
  });

  test("runs a package that was built in a tab", async () => {
    const lowered = await hosted.add(
      `${WORK}\nexport const extra = task("extra", async () => await pair(1));`,
      true,
    );
    expect(lowered).not.toBe(hash);
    expect(await hosted.run(lowered, "wide", 20)).toBe(210);
    expect(await hosted.run(lowered, "deep", 5)).toBe(15);
    expect(await hosted.run(lowered, "extra")).toEqual([1, 2]);
    expect(await hosted.run(lowered, "print_later", "line")).toBe(undefined);
  });

  test("knows defaults, arguments that don't count, and how many values a task gives", async () => {
    expect(await hosted.run(hash, "scaled", 2, undefined, "label")).toEqual([10, "label"]);
    expect(await hosted.run(hash, "swapped", 3)).toEqual([4, 3]);
  });

  test("runs script tasks, whose functions may await", async () => {
    const lines: string[] = [];
    const { scheduler, task } = await hosted.scheduler(hash);
    scheduler.on("job-log", ({ line }) => lines.push(line));
    expect(await scheduler.run(task("greet")("HOME"))).toEqual(new TextEncoder().encode("hello"));
    expect(lines).toContain(`said ${process.env.HOME}`);
    expect(await scheduler.run(task("greet_later")(4))).toEqual(new TextEncoder().encode("5"));
    expect(await scheduler.run(task("shell")("printf plain"))).toEqual(new TextEncoder().encode("plain"));
  });

  test("gives each job the lines that it printed, though many run at once", async () => {
    const { scheduler, task } = await hosted.scheduler(hash);
    const logs = new Map<string, string[]>();
    scheduler.on("job-log", ({ job, line }) => logs.set(job.id, [...(logs.get(job.id) ?? []), line]));
    const names = Array.from({ length: 30 }, (_, i) => `line ${i}`);
    await scheduler.run(names.flatMap((name) => [task("print")(name), task("print_later")(name)]));
    const expected = names.flatMap((name) => [name, `before ${name},after ${name}`]);
    expect([...logs.values()].map(String).sort()).toEqual(expected.sort());
  });

  test("reads files of the machine and of the Web", async () => {
    const server = createServer((_, response) => response.end("from the Web"));
    await once(server.listen(0, "127.0.0.1"), "listening");
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/text`;
    for (const name of ["read", "read_here"]) {
      expect(await hosted.run(hash, name, url)).toBe("from the Web");
      expect(await hosted.run(hash, name, import.meta.filename)).toContain("reads files of the machine");
    }
    server.close();
  });

  test("reports errors with the lines of the workflow's file", async () => {
    const error = await rejection(hosted.run(hash, "fails_later", "luck"));
    expect(error).toBeInstanceOf(RangeError);
    const line = WORK.split("\n").findIndex((text) => text.includes("throw new RangeError")) + 1;
    expect(error.stack).toContain(`main.ts:${line}`);
    const text = formatTraceback(errorTraceback(error)!);
    expect(text).toContain("fails_later");
    expect(text).toContain(`main.ts:${line}`);
    expect(await hosted.run(hash, "catches")).toBe("RangeError: no luck");
  });

  test("takes from the cache what was run before", async () => {
    const { scheduler, task } = await hosted.scheduler(hash);
    const started: string[] = [];
    scheduler.on("job-start", ({ job }) => started.push(job.task));
    await scheduler.run(task("waits")(7));
    const { length } = started;
    await scheduler.run(task("waits")(7));
    expect(started).toHaveLength(length);
  });

  test("passes on values of types that only the package knows", async () => {
    const types = (unit: string): string => `
import { registerValue, task } from "redun";
class Length {
  constructor(readonly size: number) {}
  show() { return this.size + "${unit}"; }
}
registerValue({
  name: "acme.Length",
  is: (value) => value instanceof Length,
  encode: (length: Length) => [length.size],
  decode: ([size]: [number]) => new Length(size),
});
const measure = task({ name: "measure", version: "${unit}" }, (size: number) => new Length(size));
const show = task({ name: "show", version: "${unit}" }, (length: Length) => length.show());
const showLater = task({ name: "show_later", version: "${unit}" }, async (length: Length) => [length.show(), (await measure(2)).show()]);
export const main = task({ name: "main", version: "${unit}" }, (size: number) => [show(measure(size)), showLater(measure(size))]);
`;
    const metric = await hosted.add(types(" m"));
    const imperial = await hosted.add(types(" ft"));
    expect(await Promise.all([hosted.run(metric, "main", 1), hosted.run(imperial, "main", 1)])).toEqual([
      ["1 m", ["1 m", "2 m"]],
      ["1 ft", ["1 ft", "2 ft"]],
    ]);
  });

  test("calls methods of lazy values, and reads members of the package's types, where the package is", async () => {
    const methods = await hosted.add(`
import { cond, File, registerValue, task } from "redun";
class Length {
  constructor(readonly size: number) {}
  get half() { return this.size / 2; }
  show(unit: string) { return this.size + unit; }
  async later() { return this.size * 2; }
}
registerValue({
  name: "acme.Shown",
  is: (value) => value instanceof Length,
  encode: ({ size }: Length) => size,
  decode: (size: number) => new Length(size),
});
const measure = task("shown.measure", (size: number) => new Length(size));
const text = task("shown.text", (words: string) => words);
const holder = task("shown.holder", () => ({ callee: measure, list: [3, 1, 2] }));
const written = task("shown.written", async (path: string) => { const file = new File(path); await file.write("inside"); return file; });
export const members = task("members", () => {
  const four = measure(4);
  return [four.size, four.half, four.show("m"), four.later(), holder().callee(5).size, holder().list.slice(1)];
});
export const texts = task("texts", () => [text("a-b").split("-"), text("abc").match("b")[0], text("x").repeat(3).length, text("ab")[1]]);
export const apart = task("apart", (matches: boolean) => {
  const { match } = text("ab");
  return (cond(matches, match, null) as never as (pattern: string) => unknown)("a");
});
export const reads = task("reads", (path: string) => written(path).text());
`);
    expect(await hosted.run(methods, "members")).toEqual([4, 2, "4m", 8, 5, [1, 2]]);
    expect(await hosted.run(methods, "texts")).toEqual([["a", "b"], "b", 3, "b"]);
    await expect(hosted.run(methods, "apart", true)).rejects.toMatchObject({ code: "forbidden-member" });
    const path = join(tmpdir(), `redun-shown-${process.pid}.txt`);
    expect(await hosted.run(methods, "reads", path)).toBe("inside");
    rmSync(path);
  });

  test("knows values by the hash that their type gives them", async () => {
    const sizes = await hosted.add(`
import { hashValue, registerValue, task } from "redun";
class Length {
  constructor(readonly size: number, readonly label: string) {}
}
registerValue({
  name: "acme.Labelled",
  is: (value) => value instanceof Length,
  encode: ({ size, label }: Length) => [size, label],
  decode: ([size, label]: [number, string]) => new Length(size, label),
  hash: ({ size }) => hashValue(["acme.Labelled", size]),
});
const measure = task("measure_labelled", (size: number, label: string) => new Length(size, label));
const show = task("show_labelled", (length: Length) => length.size + length.label);
export const main = task("labelled", (label: string) => show(measure(1, label)));
`);
    expect(await hosted.run(sizes, "labelled", "a")).toBe("1a");
    expect(await hosted.run(sizes, "labelled", "b")).toBe("1a");
    const values = await hosted.backend.find({ type: "Value", valueTypes: ["acme.Labelled"] });
    expect(values.map(({ id }) => id)).toEqual([hashValue(["acme.Labelled", 1])]);
  });

  test("tells code that waits when its execution has ended", async () => {
    const ends = await hosted.add(`
import { File, schedulerTask, task } from "redun";
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
export const sleeps = task("sleeps", async () => await sleep(60_000));
export const waits = task("waits", async (path: string) => {
  try { await sleeps(); } catch (error) { await new File(path).write((error as Error).name); }
});
export const asks = schedulerTask("asks", async (scheduler, sleeping) => await scheduler.evaluate(sleeping));
export const fails = task("fails", async () => { await sleep(200); throw new RangeError("no luck"); });
export const main = task("main", (path: string) => [waits(path), asks(sleeps()), fails()]);
`);
    const told = join(hosted.dir, "told");
    await expect(hosted.run(ends, "main", told)).rejects.toThrow("no luck");
    await expect.poll(() => existsSync(told) && readFileSync(told, "utf8")).toBe("CancelledError");
  });

  test("finds out in a dry run what scheduler tasks would call", async () => {
    const workflow = (n: number): string => `
import { schedulerTask, task } from "redun";
export const one = task("one", () => ${n});
export const later = task("later", (k: number) => k + ${n});
export const asks = schedulerTask("asks", async (scheduler, ...asked) => await Promise.all(asked.map((each) => scheduler.evaluate(each))));
export const main = task("main", () => [one(), asks(later(1), later(2))]);
`;
    expect(await hosted.run(await hosted.add(workflow(1)), "main")).toEqual([1, [2, 3]]);
    const { scheduler, task } = await hosted.scheduler(await hosted.add(workflow(2)));
    const missed: string[] = [];
    scheduler.on("job-miss", ({ job }) => void missed.push(job.task));
    const dryRun = scheduler.run(task("main")(), { dryRun: true });
    await expect(dryRun).rejects.toMatchObject({ code: "dry-run" });
    expect(missed.sort()).toEqual(["later", "later", "one"]);
  });

  test("keeps packages apart that define tasks of one name", async () => {
    const workflow = (n: number): string => `
import { task } from "redun";
export const id = task({ name: "id", version: "1", check: "full" }, () => ${n});
export const later = task("later", async () => [${n}, await id.options({ cache: false })()]);
`;
    const hashes = await Promise.all([1, 2].map((n) => hosted.add(workflow(n))));
    for (let i = 0; i < 3; i++) {
      const values = await Promise.all(hashes.map((other) => hosted.run(other, "later")));
      expect(values).toEqual([
        [1, 1],
        [2, 2],
      ]);
    }
  });

  test("calls the engine's own tasks here, and no others without a package", async () => {
    const { executor } = hosted;
    expect(executor.invokes({ fullname: "redun.map", async: false, package: undefined })).toBe(true);
    expect(executor.invokes({ fullname: "add", async: false, package: hash })).toBe(false);
    const stray = task("hosted_test.stray", () => 1);
    const error = await rejection(executor.run(jobSpec(stray, []), recordingContext()));
    expect(error.message).toContain("it is of no code package");
  });
});
