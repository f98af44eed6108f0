import { describe, expect, test } from "vitest";
import { hashStruct } from "../../src/value/hash.ts";
import { build, changed, hashes, taskOf } from "./workflow.ts";

async function names(source: string): Promise<string[]> {
  return Object.keys(hashes(await build(source)));
}

describe("the names of tasks", () => {
  test("are read from every way to define one", async () => {
    const source = `
      import { task, task as define, namespace } from "redun";
      import * as redun from "redun";
      const PREFIX = "pre"; const NAMES = { five: "five" };
      const base = { namespace: "spread" };
      const math = namespace("math");
      export const a = task("ns.one", () => 1);
      export const b = task({ name: "two", namespace: "ns.sub" }, () => 2);
      export const c = task(function three() {});
      export const d = task({ version: "1" }, function four() {});
      export const e = task(NAMES.five, () => 5);
      export const f = define(\`\${PREFIX}.six\`, () => 6);
      export const g = redun.task(PREFIX + ".seven", () => 7);
      export const h = math.task("eight", () => 8);
      export const i = redun.namespace("direct").task(function nine() {});
      export const j = namespace().task("ten", () => 10);
      export const k = task({ ...base, name: "eleven" }, () => 11);
      function twelve() {} export const l = task(twelve);
      export default task("thirteen", () => 13);
      if (globalThis.x) task("fourteen", () => 14);
    `;
    expect(await names(source)).toEqual([
      "ns.one",
      "ns.sub.two",
      "three",
      "four",
      "five",
      "pre.six",
      "pre.seven",
      "math.eight",
      "direct.nine",
      "ten",
      "spread.eleven",
      "twelve",
      "thirteen",
      "fourteen",
    ]);
  });

  test("that are known only at run time are left out, and the code hash covers them", async () => {
    const source = (value: number): string => `
      import { task } from "redun";
      const make = (name: string, n: number) => task(name, () => n + ${value});
      for (const name of ["a", "b"]) task(name, () => 1);
      export const fixed = task("fixed", () => 1);
      function scoped(n: number) { return task("scoped", () => n); }
      export const all = [make("x", 1), scoped(2)];
      export const t = task({ ...globalThis.options }, () => 1);
    `;
    const [one, again, two] = await Promise.all([
      build(source(1)),
      build(source(1).replace(/\n/g, "\n\n")),
      build(source(2)),
    ]);
    expect(Object.keys(hashes(one))).toEqual(["fixed"]);
    expect(again.manifest.codeHash).toBe(one.manifest.codeHash);
    expect(two.manifest.codeHash).not.toBe(one.manifest.codeHash);
    expect(hashes(two)).toEqual(hashes(one));
  });

  test("of functions that only look like redun's are not taken", async () => {
    expect(
      await names(`const task = (name: string, f: unknown) => f; export const a = task("a", () => 1);`),
    ).toEqual([]);
  });

  test("that break the rule are left to fail at run time", async () => {
    expect(await names(`import { task } from "redun"; export const a = task("not ok", () => 1);`)).toEqual(
      [],
    );
  });

  test("are found through the workflow's own modules", async () => {
    const pkg = await build({
      "main.ts": `import { define } from "./redun.ts"; export const a = define("a", () => 1);`,
      "redun.ts": `export { task as define } from "redun";`,
    });
    expect(Object.keys(hashes(pkg))).toEqual(["a"]);
  });

  test("of scheduler tasks are none: their code counts for the tasks that call them", async () => {
    const source = (value: number): string => `
      import { task, schedulerTask } from "redun";
      const later = schedulerTask("later", (scheduler, x) => ${value});
      export const t = task("t", () => later(1)); export const u = task("u", () => 1);`;
    expect(await changed({ "main.ts": source(1) }, { "main.ts": source(2) })).toEqual(["t"]);
    expect(await names(source(1))).toEqual(["t", "u"]);
  });

  test("come with their parts, place and hash", async () => {
    const pkg = await build({
      "main.ts": `export * from "./lib/tasks.ts"; export const redunNamespace = "acme";`,
      "lib/tasks.ts": `import { task } from "redun";\n\nexport const t = task({ name: "a.b.c", script: true }, async () => "ls");`,
    });
    const task = taskOf(pkg, "a.b.c");
    expect(task).toMatchObject({
      name: "c",
      namespace: "a.b",
      file: "lib/tasks.ts",
      line: 3,
      async: true,
      script: true,
      source: `async () => "ls"`,
    });
    expect(task.hash).toBe(hashStruct(["Task", "a.b.c", "source", task.canonical]));
    expect(pkg.manifest.namespace).toBe("acme");
    expect(pkg.manifest.entry).toBe("main.ts");
  });

  test("with a version are hashed by it", async () => {
    const pkg = await build(
      `import { task } from "redun"; export const t = task({ name: "ns.t", version: "1" }, () => 1);`,
    );
    expect(taskOf(pkg, "ns.t")).toMatchObject({
      version: "1",
      hash: "5bd45817942a317b0d2e7c9ac40ccfdd10024144",
    });
  });

  test("that are defined twice give a warning, and the later one counts", async () => {
    const pkg = await build(`import { task } from "redun";\ntask("a", () => 1);\ntask("a", () => 2);`);
    expect(pkg.manifest.tasks.map(({ line }) => line)).toEqual([3]);
    expect(pkg.warnings).toEqual([
      "Task a is defined twice, at main.ts:2 and main.ts:3: the later one counts",
    ]);
  });
});
