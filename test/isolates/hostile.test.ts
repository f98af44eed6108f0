import hostile from "package:hostile";
import sameA from "package:same-a";
import sameB from "package:same-b";
import trouble from "package:trouble";
import { describe, expect, test } from "vitest";
import { recordingContext } from "../../src/executor/contract.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { serveFileSystem } from "../../src/file-systems/rpc.ts";
import { packageHash } from "../../src/package/manifest.ts";
import type { CodePackage, PackageManifest } from "../../src/package/types.ts";
import { executorOf } from "./executors.ts";
import { call, schedulerOf, specOf } from "./setup.ts";

/** A package whose hash is right, whatever it says. */
function forged(code: string, manifest: unknown): CodePackage {
  return {
    ...sameA,
    code,
    manifest: manifest as PackageManifest,
    hash: packageHash(code, manifest as PackageManifest),
  };
}

describe("a package", () => {
  const described = async (pkg: CodePackage) => await executorOf([pkg]).describe(pkg.hash);

  test("whose code is not what its hash says is not loaded", async () => {
    await expect(described({ ...sameA, code: `${sameA.code}\n` })).rejects.toMatchObject({
      code: "package",
      message: expect.stringContaining("its content has the hash") as string,
    });
  });

  test("that comes in the place of another is not loaded", async () => {
    const executor = executorOf([], { packages: async () => sameB });
    await expect(executor.describe(sameA.hash)).rejects.toMatchObject({ code: "package" });
  });

  test("that claims the hash of another's task is not loaded", async () => {
    const [task] = sameA.manifest.tasks;
    const stolen = { ...task!, hash: sameB.manifest.tasks[0]!.hash };
    await expect(described(forged(sameA.code, { ...sameA.manifest, tasks: [stolen] }))).rejects.toMatchObject(
      {
        code: "package",
        message: expect.stringContaining("the hash of its task same.who is not that of its code") as string,
      },
    );
  });

  for (const [what, manifest] of [
    ["nothing", null],
    ["text", "manifest"],
    ["no tasks", { ...sameA.manifest, tasks: undefined }],
    ["a task that is none", { ...sameA.manifest, tasks: [null] }],
    ["no entry", { ...sameA.manifest, entry: 5 }],
    ["hosts that are none", { ...sameA.manifest, network: [{}] }],
  ] as const) {
    test(`with a manifest that is malformed is not loaded: ${what}`, async () => {
      const pkg = { ...sameA, manifest: manifest as unknown as PackageManifest };
      await expect(described(pkg)).rejects.toMatchObject({ code: "package" });
    });
  }

  test("that imports what is not there is not loaded, and says why", async () => {
    const code = `import fs from "left-pad";\n${sameA.code}`;
    await expect(described(forged(code, sameA.manifest))).rejects.toMatchObject({
      code: "package",
      message: expect.stringContaining("it imports left-pad, which is not here") as string,
    });
  });

  test("that is no JavaScript is not loaded", async () => {
    await expect(described(forged("let = ;", sameA.manifest))).rejects.toMatchObject({ code: "package" });
  });
});

describe("code in an isolate", () => {
  test("sees no bindings, no variables and no way to more code", async () => {
    const seen = await call(executorOf([trouble]), trouble, "trouble.look");
    expect(seen).toEqual({
      env: [],
      environment: [],
      eval: "EvalError",
      function: "EvalError",
      data: "Error",
      loader: "undefined",
      caches: "undefined",
    });
  });

  test("shares nothing with other packages, executors or isolates", async () => {
    const one = executorOf([trouble, hostile]);
    const other = executorOf([trouble]);
    expect(await call(one, trouble, "trouble.remember", ["secret"])).toBe(1);
    expect(await call(other, trouble, "trouble.remember", ["secret"])).toBe(1);
    expect(await call(one, trouble, "trouble.remember", ["secret"])).toBe(2);
  });

  test("gets tasks of its own package, though another has some of the same name", async () => {
    const executor = executorOf([sameA, sameB]);
    const both = await Promise.all([sameA, sameB].map((pkg) => call(executor, pkg, "same.who")));
    expect(both).toEqual(["a", "b"]);
    const stolen = { ...specOf(sameA, "same.who"), package: sameB.hash };
    const result = await executor.run(stolen, recordingContext());
    expect(result).toMatchObject({ ok: false, error: { record: { code: "executor" } } });
  });
});

describe("an isolate that says what it should not", () => {
  for (const what of [
    "nothing",
    "text",
    "stranger",
    "prototype",
    "kind",
    "unreadable",
    "number",
    "error",
    "cause",
    "log",
    "evaluate",
    "functions",
  ]) {
    test(`fails its own jobs only: ${what}`, async () => {
      const executor = executorOf([hostile, sameA]);
      const other = call(executor, sameA, "same.who");
      await expect(call(executor, hostile, "hostile.say", [what])).rejects.toMatchObject({
        code: "executor",
      });
      expect(await other).toBe("a");
      expect(await call(executor, hostile, "hostile.fine", [1])).toBe(2);
    });
  }

  test("fails the job with text that is no encoding of a value", async () => {
    for (const text of ["", "{", '{"$":"?"}', '{"__proto__":{"polluted":1}}', "[".repeat(100_000)]) {
      const { run } = await schedulerOf(hostile, executorOf([hostile]));
      const value = await run("hostile.garble", [text]).catch((error: unknown) => error);
      if (!(value instanceof Error)) expect(Object.keys(value as object)).toEqual(["__proto__"]);
      expect(({} as { polluted?: unknown }).polluted).toBe(undefined);
    }
  });

  test("may await only so much at a time", async () => {
    const executor = executorOf([hostile, sameA]);
    let awaited = 0;
    const greedy = executor.run(specOf(hostile, "hostile.greedy"), {
      ...recordingContext(),
      evaluate: () => {
        awaited++;
        return new Promise(() => {});
      },
    });
    await expect(greedy).rejects.toMatchObject({
      code: "executor",
      message: expect.stringContaining("its jobs await more than 64 MB at a time") as string,
      hint: expect.stringContaining("Files") as string,
    });
    expect(awaited).toBeLessThan(10);
    expect(await call(executor, sameA, "same.who")).toBe("a");
  });

  test("may print only so much", async () => {
    const context = recordingContext();
    await executorOf([hostile]).run(specOf(hostile, "hostile.flood"), context);
    expect(context.lines.length).toBe(10_001);
  });

  test("can call nothing but what it is meant to", async () => {
    expect(await call(executorOf([hostile]), hostile, "hostile.probe")).toEqual([]);
  });

  test("gets files by paths of two schemes only", async () => {
    const files = new MemoryFileSystem();
    await files.write("secret", new Uint8Array(3));
    const executor = executorOf([hostile], { files: serveFileSystem(files, ["r2", "file"]) });
    const pry = (operation: unknown, args: unknown) =>
      call(executor, hostile, "hostile.pry", [operation, args]);
    expect(await pry("stat", ["secret"])).toBe("answered");
    expect(await pry("stat", ["memory://secret"])).toContain("paths of the scheme memory can't be used");
    expect(await pry("constructor", ["secret"])).toContain("no operation constructor");
    expect(await pry("read", [{}])).toContain("it is not a path");
    expect(await pry("read", ["secret", { offset: -1 }])).toContain("A range of bytes has an offset");
    expect(await pry("write", ["secret", "text"])).toContain("bytes or a stream");
    expect(await pry("stat", "secret")).toContain("needs a list of arguments");
    expect(await pry("copy", ["secret"])).toContain("it is not a path");
  });
});
