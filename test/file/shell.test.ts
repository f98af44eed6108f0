import { execFileSync } from "node:child_process";
import { beforeEach, describe, expect, test } from "vitest";
import { Dir } from "../../src/file/dir.ts";
import { File, StagingFile } from "../../src/file/file.ts";
import type { FileSystem } from "../../src/file/file-system.ts";
import { registerFileSystem } from "../../src/file/file-systems.ts";
import { shellCopy, shellMakeFolder, shellQuote } from "../../src/file/shell.ts";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";

/** A store with a tool of its own, called after its scheme. */
function withTool(scheme: string): FileSystem {
  const fileSystem: FileSystem = new MemoryFileSystem();
  return Object.assign(fileSystem, {
    schemes: [scheme],
    shellCopy: (source: string | null, target: string | null, options?: { recursive?: boolean }) =>
      [scheme, ...(options?.recursive ? ["-r"] : []), source ?? "-", target ?? "-"]
        .map((word) => shellQuote(word))
        .join(" "),
  });
}

beforeEach(() => {
  registerFileSystem(withTool("one"));
  registerFileSystem(withTool("two"));
  registerFileSystem(new MemoryFileSystem());
});

describe("folders", () => {
  test.each([
    ["out/a.txt", "mkdir -p out"],
    ["/out/b c/a.txt", "mkdir -p '/out/b c'"],
    ["-x/a.txt", "mkdir -p ./-x"],
    ["file:///tmp/a%20b/c", "mkdir -p '/tmp/a b'"],
    ["out/folder/", "mkdir -p out"],
    ["a.txt", ""],
    ["/a.txt", ""],
    ["one://bucket/a.txt", ""],
  ])("of %s are made by %j", (path, command) => {
    expect(shellMakeFolder(path)).toBe(command);
  });
});

describe("quoting", () => {
  test("leaves plain words alone", () => {
    expect(shellQuote("a/b-c_1.txt")).toBe("a/b-c_1.txt");
    expect(shellQuote("s3://bucket/key=1")).toBe("s3://bucket/key=1");
  });

  test("gives every word back through a real shell", () => {
    for (const word of [
      "",
      "a b",
      "it's",
      '"q"',
      "$HOME `id` $(id)",
      "\\",
      "a\nb",
      "*?[x]",
      "~",
      "#",
      "!",
      "文件",
      "-n",
    ]) {
      const output = execFileSync("sh", ["-c", `printf '%s|' ${shellQuote(word)}`], { encoding: "utf8" });
      expect(output).toBe(`${word}|`);
    }
  });
});

describe("the shell command of a copy", () => {
  test("is plain for local files", () => {
    expect(shellCopy("a.txt", "b.txt")).toBe("cp a.txt b.txt");
    expect(shellCopy("a b", "it's")).toBe(`cp 'a b' 'it'"'"'s'`);
    expect(shellCopy("d", "e", { recursive: true })).toBe("cp -r d e");
    expect(shellCopy("a", null)).toBe("cat a");
    expect(shellCopy(null, "a")).toBe("cat > a");
    expect(shellCopy("file:///x/a%20b", "c")).toBe("cp '/x/a b' c");
  });

  test("never takes a path for an option", () => {
    expect(shellCopy("-rf", "--help")).toBe("cp ./-rf ./--help");
  });

  test("is empty between equal paths", () => {
    expect(shellCopy("a", "a")).toBe("");
    expect(shellCopy("d", "d", { recursive: true })).toBe("");
  });

  test("is the store's own to, from and within it", () => {
    expect(shellCopy("one://a", "b c")).toBe("one one://a 'b c'");
    expect(shellCopy("b", "one://a")).toBe("one b one://a");
    expect(shellCopy("one://a", "one://b")).toBe("one one://a one://b");
    expect(shellCopy("one://a", null)).toBe("one one://a -");
    expect(shellCopy(null, "one://a")).toBe("one - one://a");
    expect(shellCopy("one://a", "d", { recursive: true })).toBe("one -r one://a d");
  });

  test("is a pipe between two stores, and redun's own for folders", () => {
    expect(shellCopy("one://a", "two://b")).toBe("(one one://a -) | (two - two://b)");
    expect(shellCopy("one://a", "two://b", { recursive: true })).toBe(
      "redun fs cp --recursive one://a two://b",
    );
  });

  test("is redun's own for stores without a tool", () => {
    expect(shellCopy("memory://a b", "c")).toBe("redun fs cp 'memory://a b' c");
    expect(shellCopy("memory://a", null)).toBe("redun fs cp memory://a -");
    expect(shellCopy(null, "memory://a")).toBe("redun fs cp - memory://a");
    expect(shellCopy("one://a", "memory://b")).toBe("redun fs cp one://a memory://b");
    expect(shellCopy("-x", "memory://a")).toBe("redun fs cp ./-x memory://a");
  });

  test("is refused for a folder from stdin or to stdout", () => {
    for (const [source, target] of [
      [null, "a"],
      ["a", null],
      ["one://a", null],
    ] as const) {
      expect(() => shellCopy(source, target, { recursive: true })).toThrow(
        expect.objectContaining({ code: "invalid-path" }),
      );
    }
  });

  test("is rendered by files, folders and staging", () => {
    expect(new File("one://a").shellCopyTo(null)).toBe("one one://a -");
    expect(new Dir("a/").shellCopyTo("b/")).toBe("cp -r a b");
    const pair = new File("one://x/a.txt").stage();
    expect(pair.renderStage()).toBe("one one://x/a.txt a.txt");
    expect(pair.renderUnstage()).toBe("one a.txt one://x/a.txt");
    const dirs = new Dir("remote").stage("local");
    expect(dirs.renderStage()).toBe("cp -r remote local");
    expect(dirs.renderUnstage()).toBe("cp -r local remote");
    const self = new StagingFile("a", "a");
    expect([self.renderStage(), self.renderUnstage()]).toEqual(["", ""]);
  });
});
