import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Engine } from "../../src/browser/engine-api.ts";
import { startEngine } from "../../src/browser/start-engine.ts";
import { registerPickedFileSystem } from "../../src/file-systems/picked.ts";
import { Dir, decodeValue, encodeValue, File } from "../../src/index.ts";
import { urls } from "./engine-calls.ts";

const WORKFLOW = `import { Dir, File, script, task } from "redun";

/** In a job worker. */
export const first = task("picked.first", (file: File, n: number) => file.bytes({ offset: 0, length: n }));
/** Beside the scheduler. */
export const text = task("picked.text", async (file: File) => file.text());
export const names = task("picked.names", (dir: Dir) =>
  dir.files().then((files) => Promise.all(files.map(async (file) => [file.path, await file.text()]))));
export const write = task("picked.write", (file: File) => file.write("x"));
export const count = task("picked.count", (file: File) =>
  script("wc -c < in.txt", { inputs: [file.stage("in.txt")], tempdir: true }));
`;

const repo = `test-${crypto.randomUUID()}`;
const picked = (name: string, text: string, lastModified = 1_700_000_000_000): globalThis.File =>
  new globalThis.File([text], name, { lastModified });

describe("files that the user picked", () => {
  let engine: Engine;

  beforeAll(async () => {
    engine = await startEngine({ repo, workers: 2, urls });
    registerPickedFileSystem({
      findPicked: (path) => engine.findPicked(path),
      listPicked: (folder) => engine.listPicked(folder),
    });
  });

  afterAll(() => engine.close());

  /** Runs a task, and says how many of its jobs came from the cache. */
  async function run(
    task: string,
    ...args: unknown[]
  ): Promise<{ value: unknown; error?: unknown; cached: number }> {
    const { hash } = await engine.build({ entry: "picked.ts", files: { "picked.ts": WORKFLOW } });
    for (const arg of args) if (arg instanceof File || arg instanceof Dir) await arg.hash();
    const executionId = crypto.randomUUID();
    const encoded = args.map((arg) => encodeValue(arg).text);
    await engine.start({ executionId, package: hash, task, args: encoded });
    const outcome = (await engine.outcome(executionId))!;
    const ends = (await engine.eventsAfter(0)).filter((event) => event.executionId === executionId);
    const cached = ends.filter((event) => event.type === "job-end" && event.status === "CACHED").length;
    if (outcome.status !== "DONE") return { value: undefined, error: outcome.error, cached };
    return { value: decodeValue(outcome.value), cached };
  }

  test("are read in place, in all workers and by scripts, and nothing is copied", async () => {
    const path = await engine.pick({ kind: "file", file: picked("a b.txt", "hello") });
    expect(path).toMatch(/^picked:\/\/[0-9a-f]{16}\/a b\.txt$/);
    expect((await run("picked.first", new File(path), 2)).value).toEqual(new TextEncoder().encode("he"));
    expect((await run("picked.text", new File(path))).value).toBe("hello");
    expect(
      new TextDecoder().decode((await run("picked.count", new File(path))).value as Uint8Array).trim(),
    ).toBe("5");
    expect(await engine.listFiles("opfs://")).not.toContainEqual(
      expect.objectContaining({ path: "opfs://a b.txt" }),
    );
    expect(await (await engine.readFile(path, 1, 3)).text()).toBe("el");
  });

  test("are the same when they are picked again unchanged, and others when they have changed", async () => {
    const path = await engine.pick({ kind: "file", file: picked("same.txt", "one") });
    expect(await run("picked.text", new File(path))).toMatchObject({ value: "one", cached: 0 });
    const again = await engine.pick({ kind: "file", file: picked("same.txt", "one") });
    expect(again).toBe(path);
    expect(await run("picked.text", new File(again))).toMatchObject({ value: "one", cached: 1 });
    const changed = await engine.pick({ kind: "file", file: picked("same.txt", "two", 1_700_000_000_001) });
    expect(changed).not.toBe(path);
    expect(await run("picked.text", new File(changed))).toMatchObject({ value: "two", cached: 0 });
    // Equal in name, size and time, as in unpacked archives.
    expect(await engine.pick({ kind: "file", file: picked("same.txt", "uno") })).not.toBe(path);
  });

  test("may be folders, without handles or with one", async () => {
    const files = [
      { path: "x.txt", file: picked("x.txt", "1") },
      { path: "sub/y.txt", file: picked("y.txt", "2") },
    ];
    const path = await engine.pick({ kind: "folder", name: "data", files });
    expect(path).toBe("picked://folder/data");
    const { value } = await run("picked.names", new Dir(path));
    expect(Object.fromEntries(value as [string, string][])).toEqual({
      "picked://folder/data/x.txt": "1",
      "picked://folder/data/sub/y.txt": "2",
    });
    expect((await run("picked.names", new Dir(path))).cached).toBe(1);
    expect(await engine.listFiles(path)).toEqual([
      { path: "picked://folder/data/sub", size: 0, isFolder: true },
      { path: "picked://folder/data/x.txt", size: 1, isFolder: false },
    ]);
    expect((await run("picked.text", new File(`${path}/none.txt`))).error).toMatchObject({
      code: "file-not-found",
      message: expect.stringContaining("no such file in the folder"),
    });
    expect((await run("picked.text", new File(`${path}/../../secret`))).error).toBeDefined();

    const other = await (await navigator.storage.getDirectory()).getDirectoryHandle("data", { create: true });
    const inner = await other.getDirectoryHandle("in", { create: true });
    const handle = await inner.getFileHandle("z.txt", { create: true });
    const put = async (text: string): Promise<void> => {
      const writable = await handle.createWritable();
      await writable.write(text);
      await writable.close();
    };
    await put("3");
    const root = await engine.pick({ kind: "folder", name: "data", handle: other });
    expect((await run("picked.names", new Dir(root))).value).toEqual([[`${root}/in/z.txt`, "3"]]);
    await put("four");
    expect((await run("picked.names", new Dir(root))).value).toEqual([[`${root}/in/z.txt`, "four"]]);
  });

  test("that are out of reach pass for no empty folder", async () => {
    const lost = new Dir("picked://folder/lost");
    await expect(lost.files()).rejects.toMatchObject({
      code: "file-not-found",
      hint: expect.stringContaining("Pick lost again"),
    });
    await expect(lost.exists()).rejects.toThrow("no page that is open holds it");
    const known = new Dir(lost.path, "0".repeat(40));
    expect((await run("picked.names", known)).error).toMatchObject({
      message: expect.stringContaining("no page that is open holds it"),
    });
    const path = await engine.pick({ kind: "folder", name: "empty", files: [] });
    expect(await new Dir(path).files()).toEqual([]);
    expect(await new Dir(`${path}/none`).exists()).toBe(false);
  });

  test("can't be written", async () => {
    const path = await engine.pick({ kind: "file", file: picked("read-only.txt", "x") });
    expect((await run("picked.write", new File(path))).error).toMatchObject({
      code: "file-permission",
      hint: expect.stringContaining("storage"),
    });
  });

  test("go to the engine that takes over, and those with a handle to the next visit; the others are asked for by name", async () => {
    const plain = await engine.pick({ kind: "file", file: picked("plain.txt", "plain") });
    const root = await navigator.storage.getDirectory();
    const handle = await root.getFileHandle(`handle-${repo}.txt`, { create: true });
    const writable = await handle.createWritable();
    await writable.write("by handle");
    await writable.close();
    const lasting = await engine.pick({ kind: "file", file: await handle.getFile(), handle });

    const second = await startEngine({ repo, workers: 2, urls });
    const seconds = await second.pick({ kind: "file", file: picked("seconds.txt", "second") });
    const moved = new Promise<void>((resolve) => second.onMoved(resolve));
    await engine.close();
    await moved;
    engine = second;
    expect((await run("picked.text", new File(seconds))).value).toBe("second");
    expect((await run("picked.text", new File(lasting))).value).toBe("by handle");
    expect((await run("picked.first", new File(plain), 1)).error).toMatchObject({
      code: "file-not-found",
      message: `Cannot read ${plain}: no page that is open holds it any more`,
      hint: "Pick plain.txt again, or keep a copy in this browser.",
    });
    expect((await engine.picks()).find(({ path }) => path === lasting)).toMatchObject({
      state: "ready",
      size: 9,
    });

    const change = await handle.createWritable();
    await change.write("changed");
    await change.close();
    expect((await run("picked.text", new File(lasting))).error).toMatchObject({
      message: expect.stringContaining("has changed since it was picked"),
    });
    expect((await engine.picks()).find(({ path }) => path === lasting)).toMatchObject({ state: "changed" });
    await root.removeEntry(handle.name);
    expect((await run("picked.text", new File(lasting))).error).toMatchObject({
      message: expect.stringContaining("or was removed"),
      hint: expect.stringContaining(`Pick ${handle.name} again`),
    });
    const again = await handle.createWritable();
    await again.write("changed");
    await again.close();
    const newer = await engine.pick({ kind: "file", file: await handle.getFile(), handle });
    expect((await engine.picks()).map(({ path }) => path)).not.toContain(lasting);
    await engine.removeFile(newer);
    expect((await engine.picks()).map(({ path }) => path)).not.toContain(newer);
  });
});
