import type * as JustBash from "just-bash/browser";
import type { FileSystem } from "../file/file-system.ts";

type ShellFiles = JustBash.IFileSystem;
type Entry = Awaited<ReturnType<NonNullable<JustBash.InMemoryFs["readdirWithFileTypes"]>>>[number];

/**
 * The working folder of a shell: the bare paths of one of the engine's file systems. Owns what a script has changed;
 * files are fetched when they are first read, and changes go back with {@link flush}, all at once.
 *
 * 1. Each path is looked up outside at most once, so a script sees a file as it was when it first asked, and its own
 *    changes after that.
 * 2. What the script did not change is not written.
 */
export class ShellFolder implements ShellFiles {
  readonly #memory: JustBash.InMemoryFs;
  readonly #outside: FileSystem;
  /** Paths, with a leading slash, that were looked up. */
  readonly #asked = new Set<string>();
  /** Files that are outside as well. */
  readonly #fetched = new Set<string>();
  readonly #written = new Set<string>();
  readonly #madeFolders = new Set<string>();
  readonly #removed = new Set<string>();

  constructor(memory: JustBash.InMemoryFs, outside: FileSystem) {
    this.#memory = memory;
    this.#outside = outside;
  }

  /** Writes the script's changes outside. */
  async flush(): Promise<void> {
    const left = new Set(this.#memory.getAllPaths());
    for (const path of this.#fetched) if (!left.has(path)) await this.#outside.remove(bare(path));
    for (const path of this.#removed) {
      if (!left.has(path) && (await this.#outside.isDir(bare(path)))) {
        await this.#outside.rmdir(bare(path), { recursive: true });
      }
    }
    for (const path of this.#madeFolders) if (left.has(path)) await this.#outside.mkdir(bare(path));
    for (const path of left) {
      if (this.#fetched.has(path) && !this.#written.has(path)) continue;
      const { isFile } = await this.#memory.stat(path).catch(() => ({ isFile: false }));
      if (isFile) await this.#outside.write(bare(path), await this.#memory.readFileBuffer(path));
    }
  }

  async readFile(path: string, options?: Parameters<ShellFiles["readFile"]>[1]): Promise<string> {
    await this.#fetch(path);
    return this.#memory.readFile(path, options);
  }

  async readFileBytes(path: string): ReturnType<JustBash.InMemoryFs["readFileBytes"]> {
    await this.#fetch(path);
    return this.#memory.readFileBytes(path);
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    await this.#fetch(path);
    return this.#memory.readFileBuffer(path);
  }

  async writeFile(...args: Parameters<ShellFiles["writeFile"]>): Promise<void> {
    await this.#fetch(args[0]);
    await this.#memory.writeFile(...args);
    this.#written.add(await this.#memory.realpath(args[0]));
  }

  async appendFile(...args: Parameters<ShellFiles["appendFile"]>): Promise<void> {
    await this.#fetch(args[0]);
    await this.#memory.appendFile(...args);
    this.#written.add(await this.#memory.realpath(args[0]));
  }

  async exists(path: string): Promise<boolean> {
    await this.#fetch(path);
    return this.#memory.exists(path);
  }

  async stat(path: string): ReturnType<ShellFiles["stat"]> {
    await this.#fetch(path);
    return this.#memory.stat(path);
  }

  async lstat(path: string): ReturnType<ShellFiles["lstat"]> {
    await this.#fetch(path);
    return this.#memory.lstat(path);
  }

  async mkdir(path: string, options?: JustBash.MkdirOptions): Promise<void> {
    await this.#fetch(path);
    await this.#memory.mkdir(path, options);
    this.#madeFolders.add(path);
  }

  async readdir(path: string): Promise<string[]> {
    await this.#fetchBelow(path);
    return this.#memory.readdir(path);
  }

  async readdirWithFileTypes(path: string): Promise<Entry[]> {
    await this.#fetchBelow(path);
    return this.#memory.readdirWithFileTypes(path);
  }

  async rm(path: string, options?: JustBash.RmOptions): Promise<void> {
    await this.#fetchBelow(path);
    await this.#memory.rm(path, options);
    this.#removed.add(path);
  }

  async cp(source: string, target: string, options?: JustBash.CpOptions): Promise<void> {
    await Promise.all([this.#fetchBelow(source), this.#fetchBelow(target)]);
    await this.#memory.cp(source, target, options);
    this.#noteBelow(target);
  }

  async mv(source: string, target: string): Promise<void> {
    await Promise.all([this.#fetchBelow(source), this.#fetchBelow(target)]);
    await this.#memory.mv(source, target);
    this.#removed.add(source);
    this.#noteBelow(target);
  }

  resolvePath(base: string, path: string): string {
    return this.#memory.resolvePath(base, path);
  }

  getAllPaths(): string[] {
    return this.#memory.getAllPaths();
  }

  async chmod(path: string, mode: number): Promise<void> {
    await this.#fetch(path);
    return this.#memory.chmod(path, mode);
  }

  async symlink(target: string, path: string): Promise<void> {
    await this.#fetch(path);
    return this.#memory.symlink(target, path);
  }

  async link(existing: string, path: string): Promise<void> {
    await Promise.all([this.#fetch(existing), this.#fetch(path)]);
    await this.#memory.link(existing, path);
    this.#written.add(path);
  }

  async readlink(path: string): Promise<string> {
    await this.#fetch(path);
    return this.#memory.readlink(path);
  }

  async realpath(path: string): Promise<string> {
    await this.#fetch(path);
    return this.#memory.realpath(path);
  }

  async utimes(path: string, atime: Date, mtime: Date): Promise<void> {
    await this.#fetch(path);
    return this.#memory.utimes(path, atime, mtime);
  }

  /** Looks a path and the folders above it up. */
  async #fetch(path: string): Promise<void> {
    if (path === "/" || this.#asked.has(path)) return;
    await this.#fetch(path.slice(0, path.lastIndexOf("/")) || "/");
    const stat = await this.#outside.stat(bare(path));
    const isFolder = stat === undefined && (await this.#outside.isDir(bare(path)));
    // Another command of a pipeline may have asked meanwhile.
    if (this.#asked.has(path)) return;
    this.#asked.add(path);
    if (stat !== undefined) this.#add(path);
    else if (isFolder) this.#memory.mkdirSync(path, { recursive: true });
  }

  /** Looks a path and everything below it up. */
  async #fetchBelow(path: string): Promise<void> {
    await this.#fetch(path);
    const { isDirectory } = await this.#memory.stat(path).catch(() => ({ isDirectory: false }));
    if (!isDirectory) return;
    const folder = bare(path);
    for (const entry of await this.#outside.list(folder)) {
      const below = `/${entry.path.replace(/^(\.?\/)+/, "")}`;
      if (this.#asked.has(below)) continue;
      this.#asked.add(below);
      this.#add(below);
    }
  }

  #add(path: string): void {
    this.#fetched.add(path);
    this.#memory.writeFileLazy(path, () => this.#outside.read(bare(path)));
  }

  #noteBelow(path: string): void {
    for (const other of this.#memory.getAllPaths()) {
      if (other === path || other.startsWith(`${path}/`)) this.#written.add(other);
    }
  }
}

/** A path as the engine's file system knows it. */
function bare(path: string): string {
  return path.slice(1);
}
