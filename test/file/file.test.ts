import { beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { ContentFile, File, IFile, isFile, StagingFile } from "../../src/file/file.ts";
import type { FileSystem } from "../../src/file/file-system.ts";
import {
  fileSystemFor,
  registeredSchemes,
  registerFileSystem,
  schemeOf,
} from "../../src/file/file-systems.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { codecOf } from "../../src/value/registry.ts";
import { decodeValue, encodeValue, hashValue, typeName } from "../../src/value/value.ts";

/** Counts how often a file's hash is asked for. */
class CountingFileSystem extends MemoryFileSystem {
  hashes = 0;

  override hash(path: string): Promise<string> {
    this.hashes++;
    return super.hash(path);
  }
}

let memory: CountingFileSystem;
beforeEach(() => {
  memory = new CountingFileSystem();
  registerFileSystem(memory);
});

describe("file systems by scheme", () => {
  test("a path without a scheme is local", () => {
    for (const path of ["a", "/a/b", "./x:y", "C:\\a", "a:b//c", "s3:/a", "//x"]) {
      expect(schemeOf(path)).toBe("file");
    }
    expect(schemeOf("S3://bucket/key")).toBe("s3");
    expect(schemeOf("git+ssh://x")).toBe("git+ssh");
  });

  test("an unknown scheme fails, naming the module that provides it", () => {
    expect(() => fileSystemFor("s3://bucket/key")).toThrow(
      expect.objectContaining({
        code: "unknown-scheme",
        hint: "Import redun/file-systems/s3 to register one.",
        fields: { scheme: "s3", path: "s3://bucket/key" },
      }),
    );
    expect(() => fileSystemFor("gs://b/k")).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("redun/file-systems/gcs") }),
    );
    expect(() => fileSystemFor("toString://b/k")).toThrow(
      expect.objectContaining({
        code: "unknown-scheme",
        hint: expect.stringContaining("registerFileSystem"),
      }),
    );
  });

  test("a file of an unknown scheme can be made, and fails when it is used", async () => {
    const file = new File("nope://a");
    await expect(file.text()).rejects.toMatchObject({ code: "unknown-scheme" });
    await expect(file.hash()).rejects.toMatchObject({ code: "unknown-scheme" });
    await expect(file.stream().getReader().read()).rejects.toMatchObject({ code: "unknown-scheme" });
    await expect(file.writable().getWriter().write("x")).rejects.toMatchObject({ code: "unknown-scheme" });
  });

  test("registered schemes are listed in order", () => {
    registerFileSystem({ ...memory, schemes: ["zz", "aa"] } as unknown as FileSystem);
    const schemes = registeredSchemes();
    expect(schemes).toEqual([...schemes].sort());
    expect(schemes).toEqual(expect.arrayContaining(["aa", "memory", "zz"]));
  });
});

describe("a file", () => {
  test("reads and writes text, bytes and JSON", async () => {
    const file = new File("memory://a/b.json");
    await file.write('{"x":[1,"ü"]}');
    expect(await file.text()).toBe('{"x":[1,"ü"]}');
    expect(await file.json()).toEqual({ x: [1, "ü"] });
    expect(await file.bytes({ offset: 1, length: 3 })).toEqual(new TextEncoder().encode('"x"'));
    expect(await file.size()).toBe(14);
    await file.write(new Uint8Array([1, 2]));
    expect(await file.bytes()).toEqual(new Uint8Array([1, 2]));
    await file.write(new Uint8Array([3]).buffer);
    expect(await file.bytes()).toEqual(new Uint8Array([3]));
    await file.write(new Blob(["blob"]));
    expect(await file.text()).toBe("blob");
    await file.write(new Blob(["stream"]).stream());
    expect(await new Response(file.stream()).text()).toBe("stream");
  });

  test("text round-trips in UTF-8 and UTF-16, and bytes take no encoding", async () => {
    const file = new File("memory://a.txt");
    for (const encoding of ["utf-8", "utf-16le"] as const) {
      await file.write("naïve 文件 🎉", { encoding });
      expect(await file.text(encoding)).toBe("naïve 文件 🎉");
    }
    await expect(file.write(new Uint8Array(), { encoding: "utf-8" })).rejects.toMatchObject({
      code: "invalid-path",
    });
  });

  test("gives its lines, whatever their ends and however the stream is cut", async () => {
    const file = new File("memory://lines.txt");
    const lines = async (): Promise<string[]> => await Array.fromAsync(file.lines());
    await file.write("a\nb\r\n\nü");
    expect(await lines()).toEqual(["a", "b", "", "ü"]);
    await file.write("a\n");
    expect(await lines()).toEqual(["a"]);
    await file.write("");
    expect(await lines()).toEqual([]);
    const long = Array.from({ length: 30_000 }, (_, i) => `line ${i} ü`);
    await file.write(long.join("\n"));
    expect(await lines()).toEqual(long);
    for await (const line of file.lines()) {
      expect(line).toBe("line 0 ü");
      break;
    }
  });

  test("knows its names and kin", () => {
    const file = new File("memory://a/b/c.txt");
    expect(file.basename()).toBe("c.txt");
    expect(file.dirname()).toBe("memory://a/b");
    expect(new File("c.txt").dirname()).toBe("");
    expect(new File("/c.txt").dirname()).toBe("/");
    expect(new File("s3://bucket/key").dirname()).toBe("s3://bucket");
    expect(`${file}`).toBe("memory://a/b/c.txt");
    expect(isFile(file)).toBe(true);
    expect(isFile(new globalThis.File([], "x"))).toBe(false);
    expect(isFile({ path: "x" })).toBe(false);
  });

  test("refuses a path that is none", () => {
    expect(() => new File("")).toThrow(expect.objectContaining({ code: "invalid-path" }));
    // @ts-expect-error a path is text
    expect(() => new File(["x"])).toThrow(expect.objectContaining({ code: "invalid-path" }));
  });

  test("that is missing has no size and no content, but can be removed", async () => {
    const file = new File("memory://missing");
    expect(await file.exists()).toBe(false);
    await file.remove();
    await expect(file.size()).rejects.toMatchObject({ code: "file-not-found" });
    await expect(file.text()).rejects.toThrow("Cannot read memory://missing: no such file");
  });

  test("is copied with its hash up to date, or left alone", async () => {
    const source = new File("memory://a");
    await source.write("new");
    const target = new File("memory://b");
    await target.write("old");
    expect(await source.copyTo(target, { skipIfExists: true })).toBe(target);
    expect(await target.text()).toBe("old");
    await memory.write(target.path, new TextEncoder().encode("older"));
    await source.copyTo(target, { skipIfExists: true });
    expect(await target.isValid()).toBe(true);
    expect(await source.copyTo(target)).toBe(target);
    expect(await target.text()).toBe("new");
    expect(await target.isValid()).toBe(true);
    expect(await source.copyTo(source)).toBe(source);
  });

  test("keeps its family when copied and staged", async () => {
    const file = new ContentFile("memory://a");
    await file.write("x");
    const copy = await file.copyTo("memory://b");
    expect(copy).toBeInstanceOf(ContentFile);
    expectTypeOf(copy).toEqualTypeOf<ContentFile>();
    const staged = file.stage("local/");
    expect(typeName(staged)).toBe("redun.ContentStagingFile");
    expect(staged.local).toBeInstanceOf(ContentFile);
    expect(new IFile("memory://a").stage().local).toBeInstanceOf(IFile);
  });
});

describe("the hash of a file", () => {
  test("is computed when first needed and then kept", async () => {
    const file = new File("memory://a");
    expect(memory.hashes).toBe(0);
    const hash = await file.hash();
    await file.hash();
    expect(memory.hashes).toBe(1);
    await new File("memory://a").write("x");
    expect(await file.hash()).toBe(hash);
    expect(await file.updateHash()).not.toBe(hash);
  });

  test("is updated exactly once by writing and by closing a writable, never by reading", async () => {
    const file = new File("memory://a");
    await file.write("one");
    expect(memory.hashes).toBe(1);
    const first = file.knownHash;
    await file.text();
    await new Response(file.stream()).text();
    await Array.fromAsync(file.lines());
    expect(memory.hashes).toBe(1);

    const writer = file.writable().getWriter();
    await writer.write("two ");
    await writer.write(new TextEncoder().encode("three"));
    expect(file.knownHash).toBe(first);
    expect(memory.hashes).toBe(1);
    await writer.close();
    expect(memory.hashes).toBe(2);
    expect(file.knownHash).not.toBe(first);
    expect(await file.text()).toBe("two three");
  });

  test("is updated once by appending, which keeps what was there", async () => {
    const file = new File("memory://log");
    for (const line of ["a\n", "b\n", "c\n"]) {
      const writer = file.writable({ append: true }).getWriter();
      await writer.write(line);
      await writer.close();
    }
    expect(memory.hashes).toBe(3);
    expect(await file.text()).toBe("a\nb\nc\n");
  });

  test("stays when a writable is aborted, as does the file", async () => {
    const file = new File("memory://a");
    await file.write("before");
    const writer = file.writable().getWriter();
    await writer.write("after");
    await writer.abort();
    expect(await file.text()).toBe("before");
    expect(memory.hashes).toBe(1);
    expect(await file.isValid()).toBe(true);
  });

  test("makes an unhashed file valid, and a hashed one valid until it changes", async () => {
    const file = new File("memory://a");
    expect(await file.isValid()).toBe(true);
    expect(file.knownHash).toBeDefined();
    await new File(file.path).write("x");
    expect(await file.isValid()).toBe(false);
    await file.updateHash();
    expect(await file.isValid()).toBe(true);
    await file.remove();
    expect(await file.isValid()).toBe(false);
  });

  test("of an IFile is by path alone, known at once and always valid", async () => {
    const file = new IFile("ifile");
    expect(file.knownHash).toBe("88f6498874027742470d5d237a4c3fdd6da76cff");
    expect(await file.isValid()).toBe(true);
    expect(hashValue(file)).toBe(file.knownHash);
  });

  test("of a ContentFile is by content, in whole or in pieces", async () => {
    const file = new ContentFile("memory://f");
    await expect(file.hash()).rejects.toMatchObject({ code: "file-not-found" });
    await file.write("hello");
    const hash = await file.hash();
    await file.touch();
    expect(await file.isValid()).toBe(true);
    await new File(file.path).write("other");
    expect(await file.isValid()).toBe(false);
    await new File(file.path).write("hello");
    expect(await file.isValid()).toBe(true);
    expect(await file.hash()).toBe(hash);
    await file.remove();
    expect(await file.isValid()).toBe(false);
    await file.write(new Uint8Array(3_000_000));
    expect(await file.isValid()).toBe(true);
  });
});

describe("a file as a value", () => {
  test("is stored as path and hash, and comes back with them", async () => {
    const file = new File("memory://a");
    await file.write("x");
    const encoded = encodeValue({ file });
    expect(encoded.text).toBe(
      `{"file":{"$":["redun.File",{"hash":"${file.knownHash}","path":"memory://a"}]}}`,
    );
    const { file: back } = decodeValue(encoded.text) as { file: File };
    expect(back).toBeInstanceOf(File);
    expect(back.path).toBe(file.path);
    expect(back.knownHash).toBe(file.knownHash);
    await new File(file.path).write("y");
    expect(await codecOf(back)!.isValid!(back)).toBe(false);
  });

  test("has the file's hash as its own", async () => {
    const file = new File("memory://a");
    await file.hash();
    expect(hashValue(file)).toBe(file.knownHash);
    expect(encodeValue(file)).toMatchObject({ hash: file.knownHash, type: "redun.File" });
  });

  test("needs its hash first, for which there is refresh", async () => {
    const file = new File("memory://a");
    expect(() => encodeValue(file)).toThrow(expect.objectContaining({ code: "file-hash-unknown" }));
    expect(() => hashValue([file])).toThrow("Cannot encode memory://a: its hash has not been computed");
    const codec = codecOf(file)!;
    await codec.refresh!(file);
    expect(codec.refresh!(file)).toBeUndefined();
    expect(encodeValue(file).hash).toBe(file.knownHash);
  });

  test("is not made of malformed data", () => {
    const hash = "0".repeat(40);
    for (const data of [
      "null",
      '"x"',
      "[]",
      "{}",
      `{"path":"","hash":"${hash}"}`,
      `{"path":1,"hash":"${hash}"}`,
      '{"path":"a","hash":"x"}',
      `{"path":"a","hash":"${"Z".repeat(40)}"}`,
    ]) {
      expect(() => decodeValue(`{"$":["redun.File",${data}]}`)).toThrow(
        expect.objectContaining({ code: "invalid-encoding" }),
      );
      expect(() => decodeValue(`{"$":["redun.StagingDir",${data}]}`)).toThrow(
        expect.objectContaining({ code: "invalid-encoding" }),
      );
    }
  });

  test("is parsed from text and shown as code", () => {
    const codec = codecOf(new File("x"))!;
    expect(codec.parse!("a.txt")).toEqual(new File("a.txt"));
    expect(codec.display!(new File("a.txt"))).toBe("File('a.txt')");
    expect(codec.display!(new File(`it's "x"`))).toBe(`File('it\\'s "x"')`);
    expect(codecOf(new IFile("x"))!.display!(new IFile("x"))).toBe("IFile('x')");
  });
});

describe("staging a file", () => {
  test("pairs it with a local one", () => {
    const file = new File("memory://a/b.txt");
    expect(file.stage().local.path).toBe("b.txt");
    expect(file.stage("dir/").local.path).toBe("dir/b.txt");
    expect(file.stage("c.txt").local.path).toBe("c.txt");
    expect(file.stage(new File("d.txt")).local.path).toBe("d.txt");
    expect(file.stage().remote).toBe(file);
    const pair = new StagingFile("l", "memory://r");
    expect([pair.local.path, pair.remote.path]).toEqual(["l", "memory://r"]);
  });

  test("copies there and back", async () => {
    const remote = new File("memory://r/a.txt");
    await remote.write("x");
    const pair = remote.stage("memory://l/a.txt");
    expect(await (await pair.stage()).text()).toBe("x");
    await pair.local.write("y");
    expect(await pair.unstage()).toBe(remote);
    expect(await remote.text()).toBe("y");
    expect(await remote.isValid()).toBe(true);
    const self = new StagingFile("memory://none", "memory://none");
    expect(await self.stage()).toBe(self.local);
    expect(await self.unstage()).toBe(self.remote);
  });

  test("is a value by its paths, which survive the store", () => {
    const pair = new StagingFile("local.txt", "remote.txt");
    expect(hashValue(pair)).toBe("cfb6d4d9de4d45ed80bbdb6d411ffc22618b9db1");
    const back = decodeValue(encodeValue(pair).text) as StagingFile;
    expect([back.local.path, back.remote.path]).toEqual(["local.txt", "remote.txt"]);
  });
});
