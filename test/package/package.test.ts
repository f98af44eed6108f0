import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { buildPackage, packageHash, verifyPackage } from "../../src/package/index.ts";
import { build, type Files, hashes, taskOf } from "./workflow.ts";

const folders: string[] = [];

async function onDisk(files: Files): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), "redun-package-"));
  folders.push(root);
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
  return root;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

const FILES: Files = {
  "main.ts": `import { task } from "redun";
import { helper } from "./lib/helper.ts";
import { chunk } from "tools";
import { readFileSync } from "fs";
export const inc = task(function inc(x: number) { return helper(x) + 1; });
export const split = task("split", (xs: number[]) => chunk(xs, readFileSync.length));
`,
  "lib/helper.ts": `import { chunk } from "tools/sub";\nexport const helper = (x: number) => chunk([x])[0];`,
  "node_modules/tools/package.json": `{ "name": "tools", "version": "1.2.3", "type": "module", "exports": { ".": "./index.js", "./sub": "./sub.js" } }`,
  "node_modules/tools/index.js": "export const chunk = (xs) => ['one', xs];",
  "node_modules/tools/sub.js": "export const chunk = (xs) => xs.map((x) => x * 10);",
};

/** Runs a package with a stand-in for redun, which gives the functions of the tasks by name. */
async function load(code: string): Promise<Record<string, (...args: never[]) => unknown>> {
  const functions: Record<string, (...args: never[]) => unknown> = {};
  const redun = {
    task: (first: string | { name: string }, second = first) => {
      functions[typeof first === "string" ? first : first.name] = second as never;
      return second;
    },
  };
  Object.assign(globalThis, { redunStandIn: redun });
  const text = code.replace(/import \{ (.*) \} from "redun";/, "const { $1 } = globalThis.redunStandIn;");
  await import(`data:text/javascript;base64,${Buffer.from(text).toString("base64")}`);
  return functions;
}

describe("a package", () => {
  test("is the same from disk and from memory", async () => {
    const root = await onDisk(FILES);
    const [disk, memory] = await Promise.all([buildPackage(join(root, "main.ts")), build(FILES)]);
    expect(disk.manifest).toEqual(memory.manifest);
    expect(disk.code).toBe(memory.code);
    expect(disk.hash).toBe(memory.hash);
  });

  test("lists what it was made from and what it needs", async () => {
    const root = await onDisk(FILES);
    const pkg = await buildPackage(join(root, "main.ts"));
    expect(pkg.inputs).toEqual(
      ["lib/helper.ts", "main.ts", "node_modules/tools/package.json"].map((name) => join(root, name)),
    );
    expect(pkg.manifest.dependencies).toEqual({ tools: "1.2.3" });
    expect(pkg.manifest.externals).toEqual(["node:fs", "redun", "tools", "tools/sub"]);
    expect(pkg.code).toContain(`from "tools/sub"`);
    expect(pkg.code).not.toContain("redun-npm");
  });

  test("is the same through a linked folder", async () => {
    const root = await onDisk(FILES);
    const link = `${root}-link`;
    await symlink(root, link);
    folders.push(link);
    const [real, linked] = await Promise.all(
      [root, link].map((folder) => buildPackage(join(folder, "main.ts"))),
    );
    expect(linked?.hash).toBe(real?.hash);
    expect(linked?.manifest.entry).toBe("main.ts");
  });

  test("has its entry's folder as its root, also in memory", async () => {
    const files = { "flows/main.ts": `export * from "../shared.ts";`, "shared.ts": FILES["lib/helper.ts"]! };
    const tools = Object.fromEntries(
      Object.entries(FILES).filter(([path]) => path.startsWith("node_modules/")),
    );
    const root = await onDisk({ ...files, ...tools });
    const disk = await buildPackage(join(root, "flows/main.ts"));
    const memory = await buildPackage("flows/main.ts", { files: { ...files, ...tools } });
    expect(memory.manifest).toEqual(disk.manifest);
    expect(memory.manifest.entry).toBe("main.ts");
    expect(memory.hash).toBe(disk.hash);
  });

  test("follows TypeScript's configuration in memory as on the disk", async () => {
    const files = {
      "flow/main.ts": `import { a } from "tools"; export class A { x = 1; static y: number; }`,
      "tsconfig.json": `{ // of the whole project\n "extends": ["./base", "shared/strict.json"], "compilerOptions": {}, }`,
      "base.json": `{ "compilerOptions": { "useDefineForClassFields": true } }`,
      "node_modules/shared/package.json": `{ "name": "shared", "version": "1.0.0" }`,
      "node_modules/shared/strict.json": `{ "extends": "./more.json", "compilerOptions": { "useDefineForClassFields": false } }`,
      "node_modules/shared/more.json": `{ "compilerOptions": { "verbatimModuleSyntax": true } }`,
      "node_modules/tools/package.json": `{ "name": "tools", "version": "1.0.0" }`,
      "node_modules/tools/index.js": "export const a = 1;",
    };
    const root = await onDisk(files);
    const disk = await buildPackage(join(root, "flow/main.ts"));
    const memory = await buildPackage("flow/main.ts", { files });
    expect(memory.code).toContain(`import "tools"`);
    expect(memory.code).toContain("constructor()");
    expect(memory.code).toBe(disk.code);
    expect(memory.hash).toBe(disk.hash);
    const relative = disk.inputs.map((input) => input.slice(root.length));
    expect(relative).toEqual(memory.inputs);
    expect(relative).toEqual(
      expect.arrayContaining(["/tsconfig.json", "/base.json", "/node_modules/shared/more.json"]),
    );
  });

  test.each([
    [
      "./",
      `"baseUrl": "./src", "paths": { "@/*": ["*"], "@/deep/*": ["none/*", "lib/*"], "exact": ["exact.ts"] }`,
    ],
    [
      "src/",
      `"paths": { "@/*": ["./*"], "@/deep/*": ["none/*", "./lib/*"], "exact": ["./exact.ts"], "lib/*": ["./lib/*"] }`,
    ],
  ])("finds modules by TypeScript's paths in memory as on the disk: %s", async (folder, options) => {
    const files = {
      "src/main.ts": `import "@/one"; import "@/deep/two.js"; import "exact"; import "lib/three"; import "tools";`,
      "src/one.ts": "console.log(1);",
      "src/lib/two.ts": "console.log(2);",
      "src/lib/three.ts": "console.log(3);",
      "src/exact.ts": "console.log('exact');",
      [`${folder}tsconfig.json`]: `{ "compilerOptions": { ${options} } }`,
      "node_modules/tools/package.json": `{ "name": "tools", "version": "1.0.0" }`,
      "node_modules/tools/index.js": "export const a = 1;",
    };
    const root = await onDisk(files);
    const disk = await buildPackage(join(root, "src/main.ts"));
    const memory = await buildPackage("src/main.ts", { files });
    expect(memory.code).toBe(disk.code);
    expect(memory.hash).toBe(disk.hash);
  });

  test("may have a root above its entry", async () => {
    const root = await onDisk({ ...FILES, "flows/main.ts": `export * from "../main.ts";` });
    const pkg = await buildPackage(join(root, "flows/main.ts"), { root });
    expect(pkg.manifest.entry).toBe("flows/main.ts");
    expect(taskOf(pkg, "split").file).toBe("../main.ts");
  });

  test("is refused when it was changed", async () => {
    const pkg = await build(FILES);
    expect(pkg.hash).toMatch(/^[0-9a-f]{40}$/);
    expect(packageHash(pkg.code, JSON.parse(JSON.stringify(pkg.manifest)))).toBe(pkg.hash);
    expect(() => verifyPackage(pkg)).not.toThrow();
    expect(() => verifyPackage({ ...pkg, code: `${pkg.code} ` })).toThrow(/its content has the hash/);
    const manifest = {
      ...pkg.manifest,
      tasks: pkg.manifest.tasks.map((task) => ({ ...task, hash: "0".repeat(40) })),
    };
    expect(() => verifyPackage({ ...pkg, manifest })).toThrow(expect.objectContaining({ code: "package" }));
    expect(() => verifyPackage({ ...pkg, manifest: { ...manifest, format: 2 as never } })).toThrow(
      /format 2 is unknown/,
    );
  });

  test("with npm packages inline runs alone, and has the same task hashes", async () => {
    const [external, inline] = await Promise.all([
      build(FILES),
      buildPackage("main.ts", { files: FILES, npm: "inline" }),
    ]);
    expect(hashes(inline)).toEqual(hashes(external));
    expect(inline.code).not.toContain(`from "tools`);
    expect(inline.manifest.externals).toEqual(external.manifest.externals);
    const { split } = await load(inline.code);
    expect(split?.([1] as never)).toEqual(["one", [1]]);
  });

  test("keeps the name of a function that names its task", async () => {
    const pkg = await build({
      "main.ts": `import { task } from "redun"; import { twice as other } from "./other.ts";
        function twice(x: number) { return x * 2; }
        export const inc = task(function inc(x: number) { return x + 1; });
        export const t = task(twice);
        export const o = task("o", () => other(1));`,
      "other.ts": "export function twice(x: number) { return x + x; }",
    });
    const functions = await load(pkg.code);
    expect(Object.keys(functions)).toEqual(["inc", "twice", "o"]);
    expect(Object.keys(hashes(pkg))).toEqual(["inc", "twice", "o"]);
  });

  test("has a source map that leads to the source, also behind its own changes", async () => {
    const { TraceMap, originalPositionFor } = await import("@jridgewell/trace-mapping");
    const pkg = await build(
      `import { task } from "redun";\nexport const inc = task(function inc(x: number) { return x + 1; }, boom());`,
    );
    const lines = pkg.code.split("\n");
    const line = lines.findIndex((text) => text.includes("boom()"));
    const column = lines[line]!.indexOf("boom()");
    expect(lines.join()).toContain("Object.defineProperty(");
    const found = originalPositionFor(new TraceMap(pkg.map!), { line: line + 1, column });
    expect(found).toMatchObject({ source: "main.ts", line: 2, column: 67 });
  });
});

describe("npm packages", () => {
  test("of two versions are told apart by who imports them", async () => {
    const files: Files = {
      "main.ts": `import { task } from "redun"; import { a } from "tools"; import { b } from "./sub/b.ts";
        export const one = task("one", () => a()); export const two = task("two", () => b());`,
      "sub/b.ts": `import { a } from "tools"; export const b = () => a();`,
      "node_modules/tools/package.json": `{ "name": "tools", "version": "1.0.0" }`,
      "node_modules/tools/index.js": "export const a = () => 1;",
      "sub/node_modules/tools/package.json": `{ "name": "tools", "version": "2.0.0" }`,
      "sub/node_modules/tools/index.js": "export const a = () => 2;",
    };
    const pkg = await build(files);
    expect(pkg.manifest.dependencies).toEqual({ tools: "1.0.0, 2.0.0" });
    expect(taskOf(pkg, "one").canonical).toContain("npm:tools@1.0.0:a");
    expect(taskOf(pkg, "two").canonical).toContain("npm:tools@2.0.0:a");
    expect(pkg.warnings?.[0]).toMatch(/tools.*1\.0\.0, 2\.0\.0/);
  });

  test("have the same modules in memory as on the disk", async () => {
    const files = {
      "main.ts": [
        `import "plain"; import "plain/lib/sub"; import "listed"; import "listed/a"; import "listed/deep/x/b.js";`,
        `import "sugar"; import "#own"; import main = require("dual"); console.log(main);`,
      ].join("\n"),
      "package.json": `{ "imports": { "#own": "./own.ts" } }`,
      "own.ts": "console.log('own');",
      "node_modules/plain/package.json": `{ "name": "plain", "version": "1.0.0", "main": "./lib", "module": "esm.js" }`,
      "node_modules/plain/esm.js": "console.log('plain esm');",
      "node_modules/plain/lib/index.js": "console.log('plain main');",
      "node_modules/plain/lib/sub.js": "console.log('plain sub');",
      "node_modules/listed/package.json": `{ "name": "listed", "version": "1.0.0", "exports": {
        ".": [{ "browser": "./browser.js", "node": "./node.js" }, "./main.js"],
        "./a": { "require": "./a.cjs", "default": "./a.js" },
        "./deep/*": "./none/*", "./deep/x/*.js": "./found/*.mjs" } }`,
      "node_modules/listed/browser.js": "console.log('listed browser');",
      "node_modules/listed/node.js": "console.log('listed node');",
      "node_modules/listed/main.js": "console.log('listed main');",
      "node_modules/listed/a.js": "console.log('listed a');",
      "node_modules/listed/a.cjs": "console.log('listed a, required');",
      "node_modules/listed/found/b.mjs": "console.log('listed b');",
      "node_modules/sugar/package.json": `{ "name": "sugar", "version": "1.0.0", "exports": { "import": "./i.js", "default": "./d.js" } }`,
      "node_modules/sugar/i.js": "console.log('sugar imported');",
      "node_modules/sugar/d.js": "console.log('sugar default');",
      "node_modules/dual/package.json": `{ "name": "dual", "version": "1.0.0", "exports": { "import": "./i.js", "require": "./r.cjs" } }`,
      "node_modules/dual/i.js": "console.log('dual imported');",
      "node_modules/dual/r.cjs": "console.log('dual required');",
    };
    const root = await onDisk(files);
    for (const npm of ["external", "inline"] as const) {
      const disk = await buildPackage(join(root, "main.ts"), { npm });
      const memory = await buildPackage("main.ts", { files, npm });
      expect(memory.code).toBe(disk.code);
      expect(memory.hash).toBe(disk.hash);
    }
  });

  test("that are only declared count by their range where nothing is installed", async () => {
    const pkg = await build({
      "main.ts": `import { task } from "redun"; import { a } from "tools"; export const t = task("t", () => a());`,
      "package.json": `{ "dependencies": { "tools": "^1.0.0" } }`,
    });
    expect(taskOf(pkg, "t").canonical).toContain("npm:tools@^1.0.0:a");
  });

  test("of the same workspace are the workflow's own code", async () => {
    const root = await onDisk({
      "flow/main.ts": `import { task } from "redun"; import { a } from "shared"; export const t = task("t", () => a());`,
      "shared/package.json": `{ "name": "shared", "version": "1.0.0", "main": "index.ts" }`,
      "shared/index.ts": "export const a = () => 12345;",
    });
    await mkdir(join(root, "node_modules"));
    await symlink(join(root, "shared"), join(root, "node_modules/shared"));
    const pkg = await buildPackage(join(root, "flow/main.ts"));
    expect(taskOf(pkg, "t").canonical).toContain("12345");
    expect(pkg.manifest.dependencies).toEqual({});
  });
});

describe("a build that fails", () => {
  test("shows the place and the line of a syntax error", async () => {
    const error = await build(`import { task } from "redun";\nconst x = ;\n`).catch(
      (error: unknown) => error,
    );
    expect(error).toMatchObject({
      code: "package",
      fields: { file: "main.ts", line: 2, column: 11, text: 'Unexpected ";"' },
    });
    expect((error as Error).message).toBe(
      'Cannot build /main.ts: main.ts:2:11: Unexpected ";"\n\n 2 | const x = ;\n   |           ^',
    );
  });

  test.each(["./missing.ts", "missing"])("names the import %s that can't be found", async (specifier) => {
    const files = { "main.ts": `import { a } from "${specifier}"; console.log(a);` };
    const root = await onDisk(files);
    for (const attempt of [() => build(files), () => buildPackage(join(root, "main.ts"))]) {
      await expect(attempt()).rejects.toMatchObject({
        code: "package",
        message: expect.stringMatching(/main\.ts:1:19: Could not resolve/),
      });
    }
  });

  test("names an entry that isn't there", async () => {
    await expect(buildPackage("/nowhere/main.ts")).rejects.toMatchObject({ code: "package" });
    await expect(buildPackage("main.ts", { files: {} })).rejects.toMatchObject({ code: "package" });
  });
});

describe("lowered async functions", () => {
  test("run each step inside what the engine captured", async () => {
    const source = `import { task } from "redun";
      const log = (text) => globalThis.redunSteps.push(text + globalThis.redunJob);
      async function* numbers() { log("gen "); yield 1; await null; log("gen "); yield 2; }
      export const t = task("t", async (thenable) => {
        log("start "); log(await thenable); log("after ");
        for await (const n of numbers()) log(n + " ");
        try { await Promise.reject(new Error("no")); } catch (error) { log(error.message + " "); }
        return 7;
      });`;
    const options = { files: { "main.ts": source } };
    const lowered = await buildPackage("main.ts", { ...options, lowerAsync: true });
    expect(hashes(lowered)).toEqual(hashes(await buildPackage("main.ts", options)));
    expect(lowered.code).not.toMatch(/\basync\b|\bawait\b/);
    const scope = globalThis as Record<PropertyKey, unknown>;
    const hook = Symbol.for("redun.capture");
    const { t } = await load(lowered.code);
    const steps: string[] = [];
    scope.redunSteps = steps;
    scope[hook] = () => {
      const job = scope.redunJob;
      return (step: () => unknown) => {
        const before = scope.redunJob;
        scope.redunJob = job;
        try {
          return step();
        } finally {
          scope.redunJob = before;
        }
      };
    };
    try {
      const run = (job: string): unknown => {
        scope.redunJob = job;
        const thenable = { then: (done: (value: string) => void) => done(`then ${scope.redunJob} `) };
        const result = t?.(thenable as never);
        scope.redunJob = undefined;
        return result;
      };
      expect(await Promise.all([run("A"), run("B")])).toEqual([7, 7]);
      for (const job of ["A", "B"]) {
        expect(steps.filter((step) => step.endsWith(job))).toEqual(
          ["start ", `then ${job} `, "after ", "gen ", "1 ", "gen ", "2 ", "no "].map((text) => text + job),
        );
      }
    } finally {
      delete scope[hook];
      delete scope.redunJob;
      delete scope.redunSteps;
    }
  });

  test("refuse a top-level await with its place", async () => {
    const files = { "main.ts": "export const x = await 1;" };
    await expect(buildPackage("main.ts", { files, lowerAsync: true })).rejects.toThrow(
      /main\.ts:1:18: Top-level await/,
    );
  });
});
