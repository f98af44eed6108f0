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
