import { Dir } from "../file/dir.ts";
import { ContentFile, File } from "../file/file.ts";
import type { FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import type { TestFunctions } from "../util/test-functions.ts";

/** One fresh place for a test. */
export interface FileSystemFixture {
  readonly fileSystem: FileSystem;
  /** A path, without a slash at its end, below which there is nothing. */
  readonly root: string;
  /** Puts a file there, for a file system that cannot write. */
  readonly put?: (path: string, bytes: Uint8Array) => Promise<void>;
  /** Removes all traces. */
  readonly close?: () => Promise<void>;
}

/**
 * What a file system may be unable to do. `write` is writing at all, `list` is listing and patterns, `change` is that
 * the hash tells contents of equal size apart, `directories` is that an empty folder exists once made.
 */
export type FileSystemFeature = "write" | "list" | "change" | "directories";

/** Options of {@link describeFileSystem}. */
export interface FileSystemContractOptions extends TestFunctions {
  /** The features that are lacking, each with the reason. */
  readonly skip?: Readonly<Partial<Record<FileSystemFeature, string>>>;
}

const utf8 = new TextEncoder();

/** A stream of pieces; an error among them is thrown in its place. */
function streamOf(...pieces: readonly (string | Error)[]): ReadableStream<Uint8Array> {
  let index = 0;
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[index++];
      if (piece === undefined) controller.close();
      else if (piece instanceof Error) controller.error(piece);
      else controller.enqueue(utf8.encode(piece));
    },
  });
}

/**
 * Checks that a file system does what its port promises.
 *
 * @example
 * ```ts
 * import { describeFileSystem, MemoryFileSystem } from "redun/testing";
 * import { describe, expect, test } from "vitest";
 *
 * describeFileSystem("memory", async () => ({ fileSystem: new MemoryFileSystem(), root: "memory://test" }), {
 *   describe, test, expect,
 * });
 * ```
 * @param create - makes the place for one test; the file system is registered for its schemes meanwhile
 */
export function describeFileSystem(
  name: string,
  create: () => Promise<FileSystemFixture>,
  options: FileSystemContractOptions,
): void {
  const { describe, test, expect, skip = {} } = options;

  const check = (
    title: string,
    needs: readonly FileSystemFeature[],
    body: (fixture: Required<Omit<FileSystemFixture, "close">>) => Promise<void>,
  ): void => {
    const run = async (): Promise<void> => {
      const { fileSystem, root, put, close } = await create();
      registerFileSystem(fileSystem);
      try {
        await body({ fileSystem, root, put: put ?? ((path, bytes) => fileSystem.write(path, bytes)) });
      } finally {
        await close?.();
      }
    };
    const lacking = needs.find((feature) => skip[feature] !== undefined);
    if (lacking === undefined) test(title, run);
    else test.skip(`${title} (skipped: ${skip[lacking]})`, run);
  };

  const text = async (fileSystem: FileSystem, path: string): Promise<string> =>
    new TextDecoder().decode(await fileSystem.read(path));
  const paths = (entries: readonly { readonly path: string }[]): string[] =>
    entries.map((entry) => entry.path).sort();

  describe(`${name} file system`, () => {
    describe("reading", () => {
      check("gives back the bytes of a file", [], async ({ fileSystem, root, put }) => {
        const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
        await put(`${root}/bytes.bin`, bytes);
        expect(await fileSystem.read(`${root}/bytes.bin`)).toEqual(bytes);
        expect((await fileSystem.stat(`${root}/bytes.bin`))?.size).toBe(256);
      });

      check("gives an empty file as no bytes", [], async ({ fileSystem, root, put }) => {
        await put(`${root}/empty`, new Uint8Array());
        expect((await fileSystem.read(`${root}/empty`)).length).toBe(0);
        expect((await fileSystem.stat(`${root}/empty`))?.size).toBe(0);
        const stream = await fileSystem.stream(`${root}/empty`);
        expect(await new Response(stream).text()).toBe("");
      });

      check(
        "reads a range, and what there is of one beyond the end",
        [],
        async ({ fileSystem, root, put }) => {
          const path = `${root}/range.txt`;
          await put(path, utf8.encode("0123456789"));
          const read = async (offset: number, length?: number): Promise<string[]> => {
            const range = length === undefined ? { offset } : { offset, length };
            const whole = new TextDecoder().decode(await fileSystem.read(path, range));
            return [whole, await new Response(await fileSystem.stream(path, range)).text()];
          };
          expect(await read(2, 3)).toEqual(["234", "234"]);
          expect(await read(7)).toEqual(["789", "789"]);
          expect(await read(8, 100)).toEqual(["89", "89"]);
          expect(await read(10, 5)).toEqual(["", ""]);
          expect(await read(50)).toEqual(["", ""]);
          expect(await read(3, 0)).toEqual(["", ""]);
        },
      );

      check("streams a large file in pieces", [], async ({ fileSystem, root, put }) => {
        const bytes = Uint8Array.from({ length: 3_000_001 }, (_, i) => (i * 7) % 251);
        await put(`${root}/large.bin`, bytes);
        const reader = (await fileSystem.stream(`${root}/large.bin`)).getReader();
        let offset = 0;
        let equal = true;
        let pieces = 0;
        for (let next = await reader.read(); !next.done; next = await reader.read()) {
          for (let i = 0; i < next.value.length; i++) equal &&= next.value[i] === bytes[offset + i];
          offset += next.value.length;
          pieces++;
        }
        expect(equal).toBe(true);
        expect(offset).toBe(bytes.length);
        expect(pieces > 1).toBe(true);
      });

      check("lets a stream be cancelled half way", [], async ({ fileSystem, root, put }) => {
        await put(`${root}/large.bin`, new Uint8Array(1_000_000));
        const reader = (await fileSystem.stream(`${root}/large.bin`)).getReader();
        await reader.read();
        await reader.cancel();
      });

      check("fails with file-not-found for a missing file", [], async ({ fileSystem, root }) => {
        const path = `${root}/missing.txt`;
        const expected = { code: "file-not-found", fields: { path } };
        await expect(fileSystem.read(path)).rejects.toMatchObject(expected);
        await expect(fileSystem.stream(path)).rejects.toMatchObject(expected);
        expect(await fileSystem.stat(path)).toBe(undefined);
        expect(await fileSystem.isDir(path)).toBe(false);
      });

      check("takes names with spaces, quotes and other scripts", [], async ({ fileSystem, root, put }) => {
        const path = `${root}/it's a "naïve" 文件 (1).txt`;
        await put(path, utf8.encode("ok"));
        expect(await text(fileSystem, path)).toBe("ok");
      });
    });

    describe("hashing", () => {
      check(
        "gives missing and present files stable, different hashes",
        [],
        async ({ fileSystem, root, put }) => {
          const path = `${root}/a.txt`;
          const missing = await fileSystem.hash(path);
          expect(missing).toMatch(/^[0-9a-f]{40}$/);
          expect(await fileSystem.hash(path)).toBe(missing);
          await put(path, utf8.encode("a"));
          const present = await fileSystem.hash(path);
          expect(present).toMatch(/^[0-9a-f]{40}$/);
          expect(present === missing).toBe(false);
          expect(await fileSystem.hash(path)).toBe(present);
        },
      );

      check("puts the path into the hash", [], async ({ fileSystem, root }) => {
        expect((await fileSystem.hash(`${root}/a`)) === (await fileSystem.hash(`${root}/b`))).toBe(false);
      });

      check("notices a change of size", [], async ({ fileSystem, root, put }) => {
        await put(`${root}/a.txt`, utf8.encode("a"));
        const before = await fileSystem.hash(`${root}/a.txt`);
        await put(`${root}/a.txt`, utf8.encode("ab"));
        expect((await fileSystem.hash(`${root}/a.txt`)) === before).toBe(false);
      });

      check(
        "notices a change that keeps the size, at once",
        ["write", "change"],
        async ({ fileSystem, root }) => {
          const path = `${root}/a.txt`;
          const hashes = new Set<string>();
          for (const content of ["a", "b", "c", "d"]) {
            await fileSystem.write(path, utf8.encode(content));
            hashes.add(await fileSystem.hash(path));
          }
          expect(hashes.size).toBe(4);
        },
      );
    });

    describe("writing", () => {
      check("makes the folders above", ["write"], async ({ fileSystem, root }) => {
        await fileSystem.write(`${root}/a/b/c.txt`, utf8.encode("deep"));
        expect(await text(fileSystem, `${root}/a/b/c.txt`)).toBe("deep");
        expect(await fileSystem.isDir(`${root}/a/b`)).toBe(true);
        expect(await fileSystem.stat(`${root}/a/b`)).toBe(undefined);
      });

      check("replaces a longer file with a shorter one", ["write"], async ({ fileSystem, root }) => {
        await fileSystem.write(`${root}/a.txt`, utf8.encode("long content"));
        await fileSystem.write(`${root}/a.txt`, utf8.encode("short"));
        expect(await text(fileSystem, `${root}/a.txt`)).toBe("short");
      });

      check("stores a stream", ["write"], async ({ fileSystem, root }) => {
        await fileSystem.write(`${root}/a.txt`, streamOf("one ", "two ", "three"));
        expect(await text(fileSystem, `${root}/a.txt`)).toBe("one two three");
      });

      check(
        "leaves everything as it was when a stream fails",
        ["write", "list"],
        async ({ fileSystem, root }) => {
          await fileSystem.write(`${root}/kept.txt`, utf8.encode("before"));
          const broken = (): ReadableStream<Uint8Array> => streamOf("half", new Error("broken stream"));
          await expect(fileSystem.write(`${root}/kept.txt`, broken())).rejects.toThrow("broken stream");
          await expect(fileSystem.write(`${root}/new.txt`, broken())).rejects.toThrow("broken stream");
          expect(await text(fileSystem, `${root}/kept.txt`)).toBe("before");
          expect(paths(await fileSystem.list(root))).toEqual([`${root}/kept.txt`]);
        },
      );

      check(
        "does not see later changes of the bytes it was given",
        ["write"],
        async ({ fileSystem, root }) => {
          const bytes = utf8.encode("before");
          await fileSystem.write(`${root}/a.txt`, bytes);
          bytes.fill(0);
          expect(await text(fileSystem, `${root}/a.txt`)).toBe("before");
        },
      );

      check("never shows a part of a file to a reader", ["write"], async ({ fileSystem, root }) => {
        const path = `${root}/a.txt`;
        await fileSystem.write(path, utf8.encode("old"));
        const writer = new File(path).writable();
        const sink = writer.getWriter();
        await sink.write("new");
        expect(await text(fileSystem, path)).toBe("old");
        await sink.close();
        expect(await text(fileSystem, path)).toBe("new");
      });

      check(
        "removes a file, and does nothing where there is none",
        ["write"],
        async ({ fileSystem, root }) => {
          await fileSystem.write(`${root}/a.txt`, utf8.encode("a"));
          await fileSystem.remove(`${root}/a.txt`);
          expect(await fileSystem.stat(`${root}/a.txt`)).toBe(undefined);
          await fileSystem.remove(`${root}/a.txt`);
        },
      );

      check("copies within itself", ["write"], async ({ root }) => {
        const source = new File(`${root}/a.txt`);
        await source.write("content");
        const copy = await source.copyTo(`${root}/sub/b.txt`);
        expect(await copy.text()).toBe("content");
        await expect(new File(`${root}/none`).copyTo(`${root}/c`)).rejects.toMatchObject({
          code: "file-not-found",
        });
        expect(await new File(`${root}/c`).exists()).toBe(false);
      });

      check("touches a file without changing its content", ["write"], async ({ root }) => {
        const file = new File(`${root}/a.txt`);
        await file.touch();
        expect(await file.size()).toBe(0);
        await file.write("content");
        const same = new ContentFile(file.path);
        const hash = await same.hash();
        await file.touch();
        expect(await file.text()).toBe("content");
        expect(await same.currentHash()).toBe(hash);
      });
    });

    describe("folders", () => {
      check(
        "lists the files at every depth, dot files too",
        ["write", "list"],
        async ({ fileSystem, root }) => {
          const names = ["a.txt", ".hidden", "sub/b.txt", "sub/deep/[c] {d}.txt"];
          for (const name of names) await fileSystem.write(`${root}/d/${name}`, utf8.encode(name));
          await fileSystem.write(`${root}/d2/other.txt`, utf8.encode("x"));
          expect(paths(await fileSystem.list(`${root}/d`))).toEqual(
            names.map((name) => `${root}/d/${name}`).sort(),
          );
        },
      );

      check("lists nothing below a missing folder", ["list"], async ({ fileSystem, root }) => {
        expect(await fileSystem.list(`${root}/missing`)).toEqual([]);
        expect(await fileSystem.isDir(`${root}/missing`)).toBe(false);
      });

      check("says the same hashes in a listing as alone", ["write", "list"], async ({ fileSystem, root }) => {
        for (const name of ["a", "b/c"]) await fileSystem.write(`${root}/${name}`, utf8.encode(name));
        for (const entry of [...(await fileSystem.list(root)), ...(await fileSystem.glob(`${root}/**`))]) {
          if (entry.hash !== undefined) expect(entry.hash).toBe(await fileSystem.hash(entry.path));
        }
      });

      check("finds files by patterns", ["write", "list"], async ({ fileSystem, root }) => {
        for (const name of ["a.txt", "b.csv", ".c.txt", "sub/d.txt", "sub/deep/e.txt", "sub/deep/f1.csv"]) {
          await fileSystem.write(`${root}/${name}`, utf8.encode(name));
        }
        const glob = async (pattern: string): Promise<string[]> =>
          paths(await fileSystem.glob(`${root}/${pattern}`)).map((path) => path.slice(root.length + 1));
        expect(await glob("*.txt")).toEqual(["a.txt"]);
        expect(await glob("*")).toEqual(["a.txt", "b.csv"]);
        expect(await glob(".*.txt")).toEqual([".c.txt"]);
        expect(await glob("**/*.txt")).toEqual(["a.txt", "sub/d.txt", "sub/deep/e.txt"]);
        expect(await glob("**")).toEqual([
          "a.txt",
          "b.csv",
          "sub/d.txt",
          "sub/deep/e.txt",
          "sub/deep/f1.csv",
        ]);
        expect(await glob("sub/**")).toEqual(["sub/d.txt", "sub/deep/e.txt", "sub/deep/f1.csv"]);
        expect(await glob("s?b/*.txt")).toEqual(["sub/d.txt"]);
        expect(await glob("sub/deep/f[0-9].csv")).toEqual(["sub/deep/f1.csv"]);
        expect(await glob("{a,b}.{txt,csv}")).toEqual(["a.txt", "b.csv"]);
        expect(await glob("a.txt")).toEqual(["a.txt"]);
        expect(await glob("sub")).toEqual([]);
        expect(await glob("missing/*.txt")).toEqual([]);
      });

      check("makes and removes folders", ["write", "directories"], async ({ fileSystem, root }) => {
        await fileSystem.mkdir(`${root}/a/b`);
        await fileSystem.mkdir(`${root}/a/b`);
        expect(await fileSystem.isDir(`${root}/a`)).toBe(true);
        await fileSystem.rmdir(`${root}/a/b`);
        expect(await fileSystem.isDir(`${root}/a/b`)).toBe(false);
        await fileSystem.rmdir(`${root}/a/b`);
      });

      check(
        "removes a folder with files only when told to",
        ["write", "directories"],
        async ({ fileSystem, root }) => {
          await fileSystem.write(`${root}/d/sub/a.txt`, utf8.encode("a"));
          await expect(fileSystem.rmdir(`${root}/d`)).rejects.toMatchObject({
            fields: { path: `${root}/d` },
          });
          expect(await text(fileSystem, `${root}/d/sub/a.txt`)).toBe("a");
          await fileSystem.rmdir(`${root}/d`, { recursive: true });
          expect(await fileSystem.isDir(`${root}/d`)).toBe(false);
          await fileSystem.rmdir(`${root}/d`, { recursive: true });
        },
      );

      check("copies a folder, and hashes it by its files", ["write", "list"], async ({ root }) => {
        const source = new Dir(`${root}/source/`);
        await source.file("a.txt").write("a");
        await source.file("sub/b.txt").write("b");
        const hash = await source.hash();
        const copy = await source.copyTo(`${root}/copy`);
        expect(paths(await copy.files())).toEqual([`${root}/copy/a.txt`, `${root}/copy/sub/b.txt`]);
        expect(await source.isValid()).toBe(true);
        await source.file("sub/b.txt").write("changed");
        expect(await source.isValid()).toBe(false);
        expect((await source.updateHash()) === hash).toBe(false);
        await source.file("new.txt").write("c");
        expect(await source.isValid()).toBe(false);
      });
    });
  });
}
