import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { Scheduler } from "../../src/index.ts";
import { loadWorkflow } from "../../src/package/build-cache.ts";
import { buildPackage } from "../../src/package/index.ts";
import { loadPackage, loadPackageByHash, packageFile } from "../../src/package/load.ts";
import { taskRegistry } from "../../src/task/registry.ts";

const root = mkdtempSync(join(tmpdir(), "redun-load-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
function project(files: Record<string, string>): { dir: string; from: string } {
  const from = join(root, `project${count++}`);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(from, name)), { recursive: true });
    writeFileSync(join(from, name), text);
  }
  return { dir: join(from, ".redun"), from };
}

const simple = (name: string, body = "1"): string =>
  `import { task } from "redun";\nexport const one = task("load.${name}", () => ${body});\n`;

test("A package's tasks get the hashes, sources and places of its manifest", async () => {
  const { dir, from } = project({ "wf.ts": `\n${simple("hashes")}` });
  const pkg = await buildPackage(join(from, "wf.ts"));
  const loaded = await loadPackage(pkg, { dir, from });
  expect(loaded.tasks.map(({ fullname }) => fullname)).toEqual(["load.hashes"]);
  const [task] = loaded.tasks;
  expect(task!.hash).toBe(pkg.manifest.tasks[0]!.hash);
  expect(task!.source).toBe("() => 1");
  expect(task!.definition.location).toEqual({ file: "wf.ts", line: 3 });
  expect(task!.definition.package).toBe(pkg.hash);
});

test("A task whose name only its code knows counts as the whole package", async () => {
  const make = (constant: number): Record<string, string> => ({
    "wf.ts": `import { task } from "redun";\nconst c = ${constant};\nfor (const n of ["a", "b"]) task("load.made_" + n, () => c);\n`,
  });
  const hashes: string[] = [];
  for (const constant of [1, 2]) {
    const { dir, from } = project(make(constant));
    const { tasks } = await loadPackage(await buildPackage(join(from, "wf.ts")), { dir, from });
    expect(tasks).toHaveLength(2);
    hashes.push(...tasks.map(({ hash }) => hash));
  }
  expect(new Set(hashes).size).toBe(4);
});

test("Loading a package whose content does not match its hash is refused", async () => {
  const { dir, from } = project({ "wf.ts": simple("refused") });
  const pkg = await buildPackage(join(from, "wf.ts"));
  const changed = { ...pkg, code: pkg.code.replace("1", "2") };
  await expect(loadPackage(changed, { dir, from })).rejects.toThrow(`Cannot load package ${pkg.hash}`);
  expect(existsSync(packageFile(dir, pkg.hash))).toBe(false);
  expect(taskRegistry.get("load.refused")).toBeUndefined();
});

test("A local copy that was changed is refused, and a missing one is told", async () => {
  const { dir, from } = project({ "wf.ts": simple("damaged", "'damaged'") });
  const pkg = await buildPackage(join(from, "wf.ts"));
  await expect(loadPackageByHash(pkg.hash, dir)).rejects.toThrow("there is no such package");
  const { writePackage } = await import("../../src/package/write-package.ts");
  const path = await writePackage(pkg, dir, from);
  writeFileSync(path, readFileSync(path, "utf8").replace("damaged", "changed"));
  await expect(loadPackageByHash(pkg.hash, dir)).rejects.toThrow("was changed or damaged");
});

test("Loading an earlier package again makes its tasks the current ones", async () => {
  const { dir, from } = project({ "a.ts": simple("again", "'a'"), "b.ts": simple("again", "'b'") });
  const a = await buildPackage(join(from, "a.ts"));
  const b = await buildPackage(join(from, "b.ts"));
  const [first] = (await loadPackage(a, { dir, from })).tasks;
  const [second] = (await loadPackage(b, { dir, from })).tasks;
  expect(taskRegistry.get("load.again")).toBe(second);
  await loadPackage(a, { dir, from });
  expect(taskRegistry.get("load.again")).toBe(first);
});

test("npm packages are found from the workflow's folder, and import.meta means the source file", async () => {
  const { dir, from } = project({
    "node_modules/dep/package.json": `{"name": "dep", "version": "1.2.3", "type": "module", "exports": {"import": "./esm.js", "require": "./cjs.cjs"}}`,
    "node_modules/dep/esm.js": "export const kind = 'esm';",
    "node_modules/dep/cjs.cjs": "exports.kind = 'cjs';",
    "node_modules/old/package.json": `{"name": "old", "version": "1.0.0", "main": "lib/main.js"}`,
    "node_modules/old/lib/main.js": "exports.kind = 'old';",
    "lib/place.ts": "export const place = [import.meta.url, import.meta.filename, import.meta.dirname];",
    "wf.ts": `import { kind } from "dep";
import { kind as old } from "old";
import { task } from "redun";
import { place } from "./lib/place.ts";
export const one = task("load.npm", () => kind);
export const found = [kind, old, ...place];
`,
  });
  const { exports } = await loadPackage(await buildPackage(join(from, "wf.ts")), { dir, from });
  const place = join(from, "lib/place.ts");
  expect(exports.found).toEqual(["esm", "old", `file://${place}`, place, join(from, "lib")]);
});

test("A workflow is built again only after one of its files changed", async () => {
  const { dir, from } = project({ "wf.ts": simple("cached"), "tsconfig.json": "{}" });
  const entry = join(from, "wf.ts");
  // A file as young as the build could still change unseen.
  await new Promise((resolve) => setTimeout(resolve, 40));
  const options = { dir, version: "1" };
  const first = await loadWorkflow(entry, options);
  const second = await loadWorkflow(entry, options);
  expect([first.cached, second.cached]).toEqual([false, true]);
  expect(second.package.hash).toBe(first.package.hash);
  expect((await loadWorkflow(entry, { dir, version: "2" })).cached).toBe(false);
  writeFileSync(entry, simple("cached", "2"));
  const changed = await loadWorkflow(entry, options);
  expect(changed.cached).toBe(false);
  expect(changed.package.hash).not.toBe(first.package.hash);
});

test("What a package defines is its own again when it is loaded again", async () => {
  const source = (unit: string): string => `import { registerValue, schedulerTask, task } from "redun";
class Length {
  constructor(readonly size: number) {}
  show(): string { return this.size + "${unit}"; }
}
registerValue({
  name: "load.Length",
  is: (value) => value instanceof Length,
  encode: ({ size }: Length) => size,
  decode: (size: number) => new Length(size),
});
const both = schedulerTask("load.both", async (scheduler, x: unknown) => [await scheduler.evaluate(x), "${unit}"]);
const make = task("load.make", (size: number) => new Length(size));
const show = task("load.show", (length: Length) => length.show());
export const main = task("load.main", (size: number) => both(show(make(size))));
`;
  const projects = ["m", "ft"].map((unit) => project({ "wf.ts": source(unit) }));
  const packages = await Promise.all(projects.map(({ from }) => buildPackage(join(from, "wf.ts"))));
  const backend = new MemoryBackend();
  const results: unknown[] = [];
  for (const i of [0, 1, 0]) {
    const { tasks } = await loadPackage(packages[i]!, projects[i]!);
    const main = tasks.find(({ fullname }) => fullname === "load.main")!;
    results.push(await new Scheduler({ backend }).run(main(results.length)));
  }
  expect(results).toEqual([
    ["0m", "m"],
    ["1ft", "ft"],
    ["2m", "m"],
  ]);
});
