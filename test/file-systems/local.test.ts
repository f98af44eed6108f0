import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Dir } from "../../src/file/dir.ts";
import { File } from "../../src/file/file.ts";
import { FileSet } from "../../src/file/file-set.ts";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { LocalFileSystem, registerLocalFileSystem } from "../../src/file-systems/local.ts";

const localModule = new URL("../../src/file-systems/local.ts", import.meta.url).href;
const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), "redun-local-"));

describeFileSystem(
  "local",
  async () => {
    const root = await makeFolder();
    return {
      fileSystem: new LocalFileSystem(),
      root,
      close: () => rm(root, { recursive: true }),
    };
  },
  { describe, test, expect },
);

describe("local files", () => {
  let folder: string;
  beforeEach(async () => {
    registerLocalFileSystem();
    folder = await makeFolder();
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("a relative pattern gives relative paths", async () => {
    const found = await new FileSet("test/file-systems/loc*.test.ts").files();
    expect(found.map((file) => file.path)).toEqual(["test/file-systems/local.test.ts"]);
    const dotted = await new FileSet("./test/file-systems/loc*.test.ts").files();
    expect(dotted.map((file) => file.path)).toEqual(["./test/file-systems/local.test.ts"]);
  });

  test("file URLs work, with escapes", async () => {
    const url = pathToFileURL(join(folder, "a b#.txt"));
    const file = new File(url);
    await file.write("x");
    expect(await readFile(join(folder, "a b#.txt"), "utf8")).toBe("x");
    const listed = await new Dir(pathToFileURL(folder)).files();
    expect(await listed[0]!.text()).toBe("x");
    expect((await new FileSet(`${pathToFileURL(folder)}/*.txt`).files())[0]!.path).toBe(listed[0]!.path);
  });

  test("no trace of an aborted write stays", async () => {
    const writer = new File(join(folder, "a.txt")).writable().getWriter();
    await writer.write("half");
    await writer.abort(new Error("changed my mind"));
    expect(await readdir(folder)).toEqual([]);
  });

  test("replacing a file keeps its permissions", async () => {
    const path = join(folder, "run.sh");
    await writeFile(path, "#!/bin/sh\n");
    await chmod(path, 0o750);
    await new File(path).write("#!/bin/sh\ntrue\n");
    expect((await stat(path)).mode & 0o777).toBe(0o750);
  });

  test("a copy runs as its source does, and can be written again", async () => {
    await writeFile(join(folder, "run.sh"), "x");
    await chmod(join(folder, "run.sh"), 0o555);
    const copy = await new File(join(folder, "run.sh")).copyTo(join(folder, "new/copy.sh"));
    expect((await stat(copy.path)).mode & 0o777).toBe(0o755);
    await copy.write("y");
    expect(await readdir(join(folder, "new"))).toEqual(["copy.sh"]);
  });

  test("writing through a link changes what it points to", async () => {
    await writeFile(join(folder, "real.txt"), "old");
    await symlink("real.txt", join(folder, "link.txt"));
    await symlink("absent.txt", join(folder, "dangling.txt"));
    await new File(join(folder, "link.txt")).write("new");
    await new File(join(folder, "dangling.txt")).write("made");
    expect(await readFile(join(folder, "real.txt"), "utf8")).toBe("new");
    expect(await readFile(join(folder, "absent.txt"), "utf8")).toBe("made");
  });

  test("listing follows links but not in circles, and leaves out broken ones", async () => {
    await mkdir(join(folder, "d/sub"), { recursive: true });
    await mkdir(join(folder, "elsewhere"));
    await writeFile(join(folder, "d/a.txt"), "a");
    await writeFile(join(folder, "elsewhere/b.txt"), "b");
    await symlink("..", join(folder, "d/sub/up"));
    await symlink("../..", join(folder, "d/sub/above"));
    await symlink("nowhere", join(folder, "d/broken"));
    await symlink("a.txt", join(folder, "d/link.txt"));
    await symlink("../elsewhere", join(folder, "d/other"));
    await symlink("../d", join(folder, "elsewhere/back"));
    const dir = new Dir(join(folder, "d"));
    expect((await dir.files()).map((file) => dir.relPath(file))).toEqual([
      "a.txt",
      "link.txt",
      "other/b.txt",
    ]);
  });

  test("a folder leaves out the engine's own folder and unfinished files", async () => {
    await mkdir(join(folder, ".redun"));
    await writeFile(join(folder, ".redun/redun.db"), "");
    await writeFile(join(folder, ".a.txt.1234.redun-tmp"), "");
    await writeFile(join(folder, "a.txt"), "");
    const dir = new Dir(folder);
    expect((await dir.files()).map((file) => dir.relPath(file))).toEqual(["a.txt"]);
  });

  test("a folder in the place of a file is an error that says so", async () => {
    await expect(new File(folder).text()).rejects.toMatchObject({
      code: "file",
      message: `Cannot read ${folder}: it is a folder`,
      fields: { path: folder, errno: "EISDIR" },
    });
    await expect(new File(folder).write("x")).rejects.toMatchObject({ fields: { path: folder } });
    await writeFile(join(folder, "plain"), "");
    const below = new File(join(folder, "plain/below.txt"));
    expect(await below.exists()).toBe(false);
    await expect(below.write("x")).rejects.toMatchObject({ code: "file", fields: { path: below.path } });
  });

  test.skipIf(process.getuid?.() === 0)("a file without permission is an error that says so", async () => {
    const path = join(folder, "locked.txt");
    await writeFile(path, "x");
    await chmod(path, 0);
    const expected = { code: "file-permission", fields: { path, errno: "EACCES" } };
    await expect(new File(path).text()).rejects.toMatchObject(expected);
    await expect(new File(path).write("y")).rejects.toMatchObject(expected);
  });

  test("what is no regular file is written to directly", async () => {
    await new File("/dev/null").write("gone");
    expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
  });

  test.runIf(existsSync("/proc/self/fd"))(
    "an open pipe is written to by its link, as /dev/stdout is",
    async () => {
      const script = `const { LocalFileSystem } = await import(${JSON.stringify(localModule)});
      await new LocalFileSystem().write("/dev/stdout", new TextEncoder().encode("through"));`;
      // Shells make pipes, where Node makes sockets.
      const command = `"${process.execPath}" --input-type=module -e '${script}' | cat`;
      expect(execFileSync("sh", ["-c", command], { encoding: "utf8" })).toBe("through");
    },
  );

  test("a touch makes a file invalid even within a millisecond", async () => {
    const file = new File(join(folder, "a.txt"));
    await file.write("x");
    const other = new File(file.path, await file.hash());
    await file.touch();
    expect(await other.isValid()).toBe(false);
  });

  test("a folder of thousands of files is hashed and checked", async () => {
    const count = 3000;
    await mkdir(join(folder, "many"));
    await Promise.all(Array.from({ length: count }, (_, i) => writeFile(join(folder, `many/${i}`), "x")));
    const dir = new Dir(join(folder, "many"));
    await dir.hash();
    expect(dir.recordedFiles).toHaveLength(count);
    expect(await dir.isValid()).toBe(true);
  });
});
