import { describe, expect, test } from "vitest";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { OpfsFileSystem } from "../../src/file-systems/opfs.ts";
import { File, registerFileSystem } from "../../src/index.ts";

describeFileSystem(
  "OPFS",
  async () => {
    const fileSystem = new OpfsFileSystem();
    const root = `opfs://${crypto.randomUUID()}`;
    return { fileSystem, root, close: () => fileSystem.rmdir(root, { recursive: true }) };
  },
  { describe, test, expect },
);

describe("the OPFS file system", () => {
  const fileSystem = new OpfsFileSystem({ folder: `test-${crypto.randomUUID()}`, schemes: ["opfs", "file"] });

  test("serves bare paths where it is asked to", async () => {
    registerFileSystem(fileSystem);
    await new File("data/a.txt").write("bare");
    expect(await new File("opfs://data/a.txt").text()).toBe("bare");
    expect((await fileSystem.list("data")).map(({ path }) => path)).toEqual(["data/a.txt"]);
  });

  test("never leaves its folder", async () => {
    await expect(fileSystem.read("opfs://../secret")).rejects.toThrow("leads out of its folder");
    await expect(fileSystem.write("a/../../b", new Uint8Array(1))).rejects.toThrow("leads out of its folder");
    expect(await fileSystem.list("opfs://.redun")).toEqual([]);
  });

  test("has folders of any name", async () => {
    const files = new OpfsFileSystem();
    expect(await files.isDir("opfs://data/files")).toBe(false);
    await files.write("opfs://named/files", new TextEncoder().encode("a file"));
    expect((await files.stat("opfs://named/files"))!.size).toBe(6);
    await files.rmdir("opfs://named", { recursive: true });
  });

  test("gives each content of a file a time of its own", async () => {
    const hashes = new Set<string>();
    for (const text of ["aa", "bb", "cc", "dd"]) {
      await fileSystem.write("opfs://same", new TextEncoder().encode(text));
      hashes.add(await fileSystem.hash("opfs://same"));
    }
    expect(hashes.size).toBe(4);
  });

  test("takes a Blob without reading it into memory, and reads a slice of it", async () => {
    const megabyte = new Uint8Array(1 << 20).fill(7);
    await fileSystem.write("opfs://large", new Blob(Array<Uint8Array<ArrayBuffer>>(64).fill(megabyte)));
    expect((await fileSystem.stat("opfs://large"))!.size).toBe(64 << 20);
    expect(await fileSystem.read("opfs://large", { offset: (64 << 20) - 2 })).toEqual(new Uint8Array([7, 7]));
    await fileSystem.remove("opfs://large");
  });
});

describe("writers of one file on OPFS", () => {
  /** A thread with a file system of its own. */
  const writer = (): Worker => new Worker(new URL("./opfs-writer.ts", import.meta.url), { type: "module" });

  const done = (worker: Worker): Promise<string> =>
    new Promise((resolve) => {
      worker.onmessage = ({ data }: MessageEvent<string>) => resolve(data);
    });

  test("in several threads leave the whole of one content, and each content has a hash of its own", async () => {
    const folder = `test-${crypto.randomUUID()}`;
    const fileSystem = new OpfsFileSystem({ folder });
    const workers = ["a", "b"].map((letter) => {
      const worker = writer();
      worker.postMessage({ folder, path: "opfs://one", letter });
      return worker;
    });
    const contents = new Map<string, string>();
    // Until enough of them were seen.
    while (contents.size < 6) {
      const before = await fileSystem.stat("opfs://one");
      if (before === undefined || before.size === 0) continue;
      const text = new TextDecoder().decode(
        await fileSystem.read("opfs://one").catch(() => new Uint8Array()),
      );
      const after = await fileSystem.stat("opfs://one");
      if (text === "" || before.etag !== after?.etag) continue;
      expect(text).toMatch(/^(a\d{4}(,a\d{4})*|b\d{4}(,b\d{4})*)$/);
      expect(new Set(text.split(",")).size).toBe(1);
      expect(contents.get(before.etag!) ?? text).toBe(text);
      contents.set(before.etag!, text);
    }
    for (const worker of workers) {
      const ended = done(worker);
      worker.postMessage("stop");
      expect(await ended).toBe("stopped");
      worker.terminate();
    }
  });

  test("in one thread: the last to end wins, and one that fails takes nothing from the others", async () => {
    const fileSystem = new OpfsFileSystem({ folder: `test-${crypto.randomUUID()}` });
    const utf8 = new TextEncoder();
    const slow = new TransformStream<Uint8Array, Uint8Array>();
    const slowly = fileSystem.write("opfs://two", slow.readable);
    const hand = slow.writable.getWriter();
    await hand.write(utf8.encode("slow "));
    const failing = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.error(new Error("broken off")),
    });
    await expect(fileSystem.write("opfs://two", failing)).rejects.toThrow("broken off");
    await fileSystem.write("opfs://three", utf8.encode("x"));
    await hand.write(utf8.encode("but sure"));
    await hand.close();
    await slowly;
    expect(await new Blob([await fileSystem.read("opfs://two")]).text()).toBe("slow but sure");
  });
});
