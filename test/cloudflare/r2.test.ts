import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { R2FileSystem, registerR2FileSystem } from "../../src/file-systems/r2.ts";
import { File } from "../../src/index.ts";

const noFolders = "a folder of R2 is what names of files have in common";

describeFileSystem(
  "R2",
  async () => ({
    fileSystem: new R2FileSystem({ bucket: env.BUCKET }),
    root: `r2://${crypto.randomUUID()}`,
  }),
  { describe, test, expect, skip: { directories: noFolders } },
);

describeFileSystem(
  "R2 with a prefix",
  async () => ({
    fileSystem: new R2FileSystem({ bucket: env.BUCKET, prefix: `/repos/${crypto.randomUUID()}/` }),
    root: "r2://data",
  }),
  { describe, test, expect, skip: { directories: noFolders } },
);

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** A stream of pieces, of which the last may be an error. */
function streamOf(size: number, count: number, error?: Error): ReadableStream<Uint8Array> {
  let made = 0;
  return new ReadableStream({
    pull(controller) {
      if (made < count) controller.enqueue(new Uint8Array(size).fill(made++ % 251));
      else if (error === undefined) controller.close();
      else controller.error(error);
    },
  });
}

describe("the R2 file system", () => {
  test("serves bare paths where it is asked to", async () => {
    const prefix = crypto.randomUUID();
    registerR2FileSystem({ bucket: env.BUCKET, prefix, schemes: ["r2", "file"] });
    await new File("data/a.txt").write("bare");
    expect(await new File("r2://data/a.txt").text()).toBe("bare");
    expect(await (await env.BUCKET.get(`${prefix}/data/a.txt`))?.text()).toBe("bare");
  });

  test("keeps a repository's paths below its prefix", async () => {
    const id = crypto.randomUUID();
    const repo = (name: string) => new R2FileSystem({ bucket: env.BUCKET, prefix: `${id}/${name}` });
    const [mine, other, longer] = [repo("mine"), repo("other"), repo("mine-too")];
    await other.write("r2://secret", bytes("secret"));
    await longer.write("r2://secret", bytes("secret"));
    await mine.write("r2://own", bytes("own"));
    for (const path of [
      "r2://../other/secret",
      "r2:///../other/secret",
      "r2://a/../../other/secret",
      "r2://..",
      "../other/secret",
      "/../other/secret",
      "file://../other/secret",
    ]) {
      const refused = { code: "invalid-path", fields: { path } };
      await expect(mine.read(path)).rejects.toMatchObject(refused);
      await expect(mine.stream(path)).rejects.toMatchObject(refused);
      await expect(mine.write(path, bytes("x"))).rejects.toMatchObject(refused);
      await expect(mine.write(path, streamOf(1, 1))).rejects.toMatchObject(refused);
      await expect(mine.remove(path)).rejects.toMatchObject(refused);
      await expect(mine.stat(path)).rejects.toMatchObject(refused);
      await expect(mine.hash(path)).rejects.toMatchObject(refused);
      await expect(mine.list(path)).rejects.toMatchObject(refused);
      await expect(mine.isDir(path)).rejects.toMatchObject(refused);
      await expect(mine.mkdir(path)).rejects.toMatchObject(refused);
      await expect(mine.rmdir(path, { recursive: true })).rejects.toMatchObject(refused);
      await expect(mine.copy(path, "r2://copy")).rejects.toMatchObject(refused);
      await expect(mine.copy("r2://own", path)).rejects.toMatchObject(refused);
      await expect(mine.touch(path)).rejects.toMatchObject(refused);
      await expect(mine.glob(`${path}/*`)).rejects.toMatchObject({ code: "invalid-path" });
    }
    // These look like ways out and are plain names.
    for (const path of [
      `r2://${id}/other/secret`,
      `/${id}/other/secret`,
      "r2://%2e%2e/other/secret",
      "r2://..%2fother/secret",
      "r2://..\\other\\secret",
      "r2://-too/secret",
      "r2://.../secret",
    ]) {
      expect(await mine.stat(path)).toBe(undefined);
      expect(await mine.list(path)).toEqual([]);
    }
    for (const root of ["r2://", "r2:///", "", "/", ".", "r2://./"]) {
      expect((await mine.list(root)).map(({ path }) => path.replace(/^.*\//, ""))).toEqual(["own"]);
      expect(await mine.stat(root)).toBe(undefined);
      expect(await mine.isDir(root)).toBe(true);
      await expect(mine.write(root, bytes("x"))).rejects.toThrow("it is a folder");
    }
    await mine.rmdir("r2://", { recursive: true });
    expect(await mine.list("r2://")).toEqual([]);
    expect((await other.list("r2://")).length + (await longer.list("r2://")).length).toBe(2);
  });

  test("has one name for a file, however its path is written", async () => {
    const files = new R2FileSystem({ bucket: env.BUCKET, prefix: crypto.randomUUID() });
    await files.write("r2://a/b.txt", bytes("one"));
    for (const path of ["r2:///a/b.txt", "R2://a//b.txt", "r2://./a/./b.txt", "/a/b.txt", "a/b.txt"]) {
      expect(new TextDecoder().decode(await files.read(path))).toBe("one");
    }
    await expect(files.read("r2://a/b.txt/")).rejects.toThrow("it is a folder");
  });

  test("refuses names that R2 does not take", async () => {
    const files = new R2FileSystem({ bucket: env.BUCKET });
    await expect(files.write(`r2://${"é".repeat(513)}`, bytes("x"))).rejects.toMatchObject({
      code: "invalid-path",
      message: expect.stringContaining("longer than the 1024 bytes"),
    });
    expect(() => new R2FileSystem({ bucket: env.BUCKET, prefix: "a/../b" })).toThrow(
      "leads out of its folder",
    );
  });

  test("uploads large streams in parts, and leaves nothing of one that fails", async () => {
    const files = new R2FileSystem({ bucket: env.BUCKET, prefix: crypto.randomUUID() });
    const [size, count] = [1_000_003, 10];
    await files.write("r2://large", streamOf(size, count));
    expect((await files.stat("r2://large"))?.size).toBe(size * count);
    const ends = await files.read("r2://large", { offset: size * 9 - 1, length: 2 });
    expect(ends).toEqual(new Uint8Array([8, 9]));
    const hash = await files.hash("r2://large");
    await files.copy("r2://large", "r2://copy");
    expect((await files.stat("r2://copy"))?.size).toBe(size * count);
    await expect(files.write("r2://large", streamOf(size, count, new Error("broken")))).rejects.toThrow(
      "broken",
    );
    await expect(files.write("r2://new", streamOf(size, count, new Error("broken")))).rejects.toThrow(
      "broken",
    );
    expect(await files.hash("r2://large")).toBe(hash);
    expect((await files.list("r2://")).map(({ path }) => path).sort()).toEqual(["r2://copy", "r2://large"]);
    // A stream that is a whole number of parts.
    await files.write("r2://even", streamOf(1 << 20, 8));
    expect((await files.stat("r2://even"))?.size).toBe(8 << 20);
  });

  test("lists and removes more files than come at a time", async () => {
    const files = new R2FileSystem({ bucket: env.BUCKET, prefix: crypto.randomUUID(), pageSize: 3 });
    const names = Array.from({ length: 13 }, (_, i) => `r2://many/${String(i).padStart(4, "0")}`);
    await Promise.all(names.map((name) => files.write(name, bytes(name))));
    const found = await files.list("r2://many");
    expect(found.map(({ path }) => path)).toEqual(names);
    expect(found[10]!.hash).toBe(await files.hash(names[10]!));
    expect((await files.glob("r2://many/*[13]")).length).toBe(3);
    await expect(files.rmdir("r2://many")).rejects.toThrow("it is not empty");
    await files.rmdir("r2://many", { recursive: true });
    expect(await files.isDir("r2://many")).toBe(false);
    await files.rmdir("r2://many");
  });
});
