import { beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { copyPath } from "../../src/file/copy.ts";
import { ContentDir, Dir, IDir, isDir, StagingDir } from "../../src/file/dir.ts";
import { ContentFile, File, IFile } from "../../src/file/file.ts";
import { ContentFileSet, FileSet, type Files, IFileSet, isFileSet } from "../../src/file/file-set.ts";
import { registerFileSystem } from "../../src/file/file-systems.ts";
import { hashFileSet } from "../../src/file/hash-file.ts";
import { mapConcurrently } from "../../src/file/map-concurrently.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { codecOf } from "../../src/value/registry.ts";
import { decodeValue, encodeValue, hashValue, typeName } from "../../src/value/value.ts";

beforeEach(async () => {
  registerFileSystem(new MemoryFileSystem());
  for (const name of ["a.txt", "b.csv", "sub/c.txt"]) await new File(`memory://d/${name}`).write(name);
});

const paths = (files: readonly File[]): string[] => files.map((file) => file.path);

describe("a folder", () => {
  test("drops slashes at the end of its path, but not the root's", () => {
    expect(new Dir("a/b//").path).toBe("a/b");
    expect(new Dir("/").path).toBe("/");
    expect(new Dir("memory://").path).toBe("memory://");
    expect(new Dir("s3://bucket/").path).toBe("s3://bucket");
    expect(new Dir("/").file("x").path).toBe("/x");
    expect(() => new Dir("")).toThrow(expect.objectContaining({ code: "invalid-path" }));
  });

  test("has all the files below, as its pattern has", async () => {
    const expected = ["memory://d/a.txt", "memory://d/b.csv", "memory://d/sub/c.txt"];
    expect(paths(await new Dir("memory://d").files())).toEqual(expected);
    expect(paths(await Array.fromAsync(new Dir("memory://d/")))).toEqual(expected);
    expect(paths(await new FileSet("memory://d/**").files())).toEqual(expected);
    expect(paths(await new Dir("memory://").files())).toEqual(expected);
  });

  test("gives files and folders below it, and their paths seen from it", () => {
    const dir = new Dir("memory://d");
    expect(dir.file("sub/c.txt").path).toBe("memory://d/sub/c.txt");
    expect(dir.dir("sub").path).toBe("memory://d/sub");
    expect(dir.relPath(dir.file("sub/c.txt"))).toBe("sub/c.txt");
    expect(dir.relPath("memory://d/x")).toBe("x");
    expect(() => dir.relPath("memory://d2/x")).toThrow(expect.objectContaining({ code: "invalid-path" }));
    expect([dir.basename(), dir.dirname(), `${new Dir("x/y/")}`]).toEqual(["d", "memory://d", "x/y"]);
    expect([isDir(dir), isDir(new FileSet("x")), isFileSet(new FileSet("x"))]).toEqual([true, false, true]);
  });

  test("is made, found and removed", async () => {
    const dir = new Dir("memory://new");
    expect(await dir.exists()).toBe(false);
    await dir.mkdir();
    expect(await dir.exists()).toBe(true);
    await dir.rmdir();
    expect(await dir.exists()).toBe(false);
    await expect(new Dir("memory://d").rmdir()).rejects.toMatchObject({ code: "file" });
    await new Dir("memory://d").rmdir({ recursive: true });
    expect(await new Dir("memory://d").files()).toEqual([]);
  });

  test("is hashed by class, path and files", async () => {
    const dir = new Dir("memory://d");
    const hashes = await Promise.all((await dir.files()).map((file) => file.hash()));
    expect(await dir.hash()).toBe(hashFileSet("Dir", "memory://d", hashes));
    expect(await new FileSet("memory://d/**").hash()).toBe(hashFileSet("FileSet", "memory://d/**", hashes));
    expect(await new Dir("memory://x").hash()).not.toBe(await new Dir("memory://y").hash());
  });

  test("is valid until a file is changed, added or removed", async () => {
    const dir = new Dir("memory://d");
    expect(await dir.isValid()).toBe(true);
    expect(await dir.isValid()).toBe(true);
    await dir.file("sub/c.txt").write("changed");
    expect(await dir.isValid()).toBe(false);
    await dir.updateHash();
    await dir.file("new").write("");
    expect(await dir.isValid()).toBe(false);
    await dir.file("new").remove();
    expect(await dir.isValid()).toBe(true);
  });

  test("is copied with its hash up to date, keeping what else is there", async () => {
    await new File("memory://e/other").write("kept");
    await new File("memory://e/a.txt").write("old");
    const target = new Dir("memory://e");
    expect(await new Dir("memory://d").copyTo(target, { skipIfExists: true })).toBe(target);
    expect(await target.file("a.txt").text()).toBe("old");
    await new Dir("memory://d").copyTo(target);
    expect(await target.file("a.txt").text()).toBe("a.txt");
    expect(await target.files()).toHaveLength(4);
    expect(await target.isValid()).toBe(true);
  });
});

describe("related classes stay in the family", () => {
  test("content", async () => {
    const dir = new ContentDir("memory://d");
    for (const file of await dir.files()) expect(file).toBeInstanceOf(ContentFile);
    expectTypeOf(dir.file("x")).toEqualTypeOf<ContentFile>();
    expect(dir.dir("sub")).toBeInstanceOf(ContentDir);
    expect(await dir.copyTo("memory://copy")).toBeInstanceOf(ContentDir);
    expect(typeName(dir.stage())).toBe("redun.ContentStagingDir");
    expect(dir.stage().local).toBeInstanceOf(ContentDir);
    for (const file of await new ContentFileSet("memory://d/*").files()) {
      expect(file).toBeInstanceOf(ContentFile);
    }
    const hash = await dir.hash();
    await dir.file("a.txt").touch();
    expect(await dir.updateHash()).toBe(hash);
  });

  test("immutable", async () => {
    const dir = new IDir("memory://d");
    expect(dir.knownHash).toBe(hashFileSet("IDir", "memory://d", []));
    for (const file of await dir.files()) expect(file).toBeInstanceOf(IFile);
    await dir.file("a.txt").write("changed");
    expect(await dir.isValid()).toBe(true);
    expect(new IDir("memory://d/").knownHash).toBe(dir.knownHash);
    const set = new IFileSet("memory://d/*");
    expect(set.knownHash).toBe(hashFileSet("IFileSet", "memory://d/*", []));
    expect(await set.isValid()).toBe(true);
    expect(typeName(dir.stage("x"))).toBe("redun.IStagingDir");
  });
});

describe("folders and sets as values", () => {
  test("are stored as path or pattern, and hash", async () => {
    for (const value of [
      new Dir("memory://d"),
      new ContentDir("memory://d"),
      new IDir("memory://d"),
      new FileSet("memory://d/*"),
      new ContentFileSet("memory://d/*"),
      new IFileSet("memory://d/*"),
    ]) {
      await codecOf(value)!.refresh!(value);
      expect(hashValue(value)).toBe(value.knownHash);
      const back = decodeValue(encodeValue(value).text);
      expect(back).toBeInstanceOf(value.constructor);
      expect(hashValue(back)).toBe(value.knownHash);
      expect(await (back as Files).isValid()).toBe(true);
    }
  });

  test("have their files as sub-values, also when they come from elsewhere", async () => {
    const dir = new Dir("memory://d");
    const codec = codecOf(dir)!;
    await codec.refresh!(dir);
    const expected = paths(await dir.files());
    expect([...codec.subvalues!(dir)].map((file) => (file as File).path)).toEqual(expected);
    const back = decodeValue(encodeValue(dir).text) as Dir;
    expect([...codec.subvalues!(back)]).toEqual([]);
    expect(await codec.postprocess!(back)).toBe(back);
    const files = [...codec.subvalues!(back)] as File[];
    expect(paths(files)).toEqual(expected);
    for (const file of files) expect(file.knownHash).toBeDefined();
  });

  test("stand as results where their file system is out of reach, if they have their hash", async () => {
    const far = new Dir("far://d", "0".repeat(40));
    const codec = codecOf(far)!;
    expect(await codec.postprocess!(far)).toBe(far);
    await expect(codec.postprocess!(new Dir("far://d"))).rejects.toMatchObject({ code: "unknown-scheme" });
  });

  test("are parsed and shown", () => {
    const codec = codecOf(new Dir("x"))!;
    expect(codec.display!(codec.parse!("a/b/"))).toBe("Dir('a/b')");
    expect(codecOf(new FileSet("x"))!.display!(new FileSet("*.txt"))).toBe("FileSet('*.txt')");
    expect(codecOf(new StagingDir("l", "r"))!.display!(new StagingDir("l", "r"))).toBe(
      "StagingDir('l', 'r')",
    );
  });
});

describe("staging a folder", () => {
  test("copies all files there and back", async () => {
    const pair = new Dir("memory://d").stage("memory://l/");
    expect(pair.local.path).toBe("memory://l/d");
    expect(new Dir("memory://d").stage().local.path).toBe("d");
    await pair.stage();
    expect(await pair.local.files()).toHaveLength(3);
    await pair.local.file("more.txt").write("x");
    await pair.unstage();
    expect(await pair.remote.files()).toHaveLength(4);
  });

  test("is a value by its paths", () => {
    expect(hashValue(new StagingDir("local", "remote"))).toBe("bb933a6873e68cdb47ecf5af8c5784608966ae14");
  });
});

describe("copying by path", () => {
  test("takes files and folders", async () => {
    await copyPath("memory://d/a.txt", "memory://x.txt");
    expect(await new File("memory://x.txt").text()).toBe("a.txt");
    await copyPath("memory://d", "memory://y", { recursive: true });
    expect(await new Dir("memory://y").files()).toHaveLength(3);
  });

  test("takes stdin and stdout, but not for folders", async () => {
    await copyPath(null, "memory://x.txt", { stdin: new Blob(["from stdin"]).stream() });
    expect(await new File("memory://x.txt").text()).toBe("from stdin");
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const copied = copyPath("memory://x.txt", null, { stdout: writable });
    expect(await new Response(readable as ReadableStream<Uint8Array<ArrayBuffer>>).text()).toBe("from stdin");
    await copied;
    for (const [source, target] of [
      [null, "memory://x"],
      ["memory://d", null],
    ] as const) {
      await expect(copyPath(source, target, { recursive: true })).rejects.toMatchObject({
        code: "invalid-path",
      });
    }
  });
});

test("a concurrent map keeps order, keeps to its limit, and starts nothing after a failure", async () => {
  let running = 0;
  let most = 0;
  const doubled = await mapConcurrently([1, 2, 3, 4, 5], 2, async (n) => {
    most = Math.max(most, ++running);
    await Promise.resolve();
    running--;
    return n * 2;
  });
  expect(doubled).toEqual([2, 4, 6, 8, 10]);
  expect(most).toBe(2);
  const started: number[] = [];
  const failing = mapConcurrently([1, 2, 3, 4], 1, async (n) => {
    started.push(n);
    if (n === 2) throw new Error("two");
  });
  await expect(failing).rejects.toThrow("two");
  expect(started).toEqual([1, 2]);
});
