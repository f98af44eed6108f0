import type { PickedEntry, PickedFound, PickedSource } from "../file-systems/picked.ts";
import { hashBytes, hashStruct } from "../value/hash.ts";
import type { Picked, PickedItem } from "./engine-api.ts";
import type { EngineState } from "./engine-state.ts";

/** A file or folder as it is held. What is held by handle outlives the page that picked it. */
type Held = { readonly item: PickedItem; readonly time: number };

/** So many are held; the oldest go. */
const MOST = 500;
/** Bytes at each end of a file that tell it from others of its name, size and time. */
const SAMPLE = 1 << 16;
/** Hex digits of a path that identify a file. */
const DIGITS = 16;

const SCHEME = "picked://";
const FOLDER = "folder";

/**
 * The files and folders that the user picked for a repository, held by its engine. It keeps references only. Handles are
 * remembered beyond this visit; of the others the pages that picked them tell each new engine.
 */
export class PickedFiles implements PickedSource {
  private readonly state: EngineState;
  private readonly held = new Map<string, Held>();
  private readonly arrivals = new Set<() => void>();
  /** Until then pages may not have told this engine yet what they hold. */
  private readonly settled: number;

  /** @param patience - milliseconds in which pages tell a new engine what they hold */
  constructor(state: EngineState, patience = 2000) {
    this.state = state;
    this.settled = Date.now() + patience;
  }

  /** Remembers what was picked on earlier visits. */
  async open(): Promise<void> {
    for (const { path, time, item } of await this.state.picks()) this.held.set(path, { item, time });
  }

  /** Takes what the user picked. @returns its path; the same for what is the same */
  async pick(item: PickedItem): Promise<string> {
    const path = item.kind === "file" ? await pathOfFile(item.file) : await this.pathOfFolder(item);
    if (item.kind === "file") await this.dropEarlier(item, path);
    const time = Date.now();
    this.held.set(path, { item, time });
    if (item.handle !== undefined) await this.state.addPick({ path, time, item });
    for (const arrived of this.arrivals) arrived();
    const oldest = [...this.held].sort(([, a], [, b]) => a.time - b.time).slice(0, -MOST);
    for (const [old] of oldest) await this.forget(old);
    return path;
  }

  /** All that is held, the latest first. */
  async picks(): Promise<readonly Picked[]> {
    const latest = [...this.held].sort(([, a], [, b]) => b.time - a.time);
    return Promise.all(latest.map(([path, { item }]) => this.describe(path, item)));
  }

  private async describe(path: string, item: PickedItem): Promise<Picked> {
    const isFolder = item.kind === "folder";
    const permission = await permissionOf(item.handle);
    const { handle } = item;
    const state =
      permission !== "granted" ? "permission" : isFolder ? "ready" : (await this.findPicked(path)).kind;
    return {
      path,
      size: isFolder ? 0 : item.file.size,
      isFolder,
      state: state === "file" ? "ready" : state === "permission" || state === "ready" ? state : "changed",
      ...(handle === undefined ? {} : { handle }),
    };
  }

  /** Lets go of a file or folder. */
  async forget(path: string): Promise<void> {
    this.held.delete(path);
    await this.state.removePick(path);
  }

  async findPicked(path: string): Promise<PickedFound> {
    const place = placeOf(path);
    const item = place && (await this.heldAt(place.root));
    if (place === undefined || item === undefined) return { kind: "gone" };
    try {
      if (item.kind === "file") return await findFile(item);
      return item.handle === undefined
        ? findAmong(item.files, place.rest)
        : await findBelow(item.handle, place.rest);
    } catch (error) {
      const kind = reasonOf(error);
      // A file that was picked by itself is in no folder that is known.
      return { kind: item.kind === "file" && kind === "missing" ? "changed" : kind };
    }
  }

  async listPicked(folder: string): Promise<readonly PickedEntry[]> {
    const place = placeOf(folder);
    const item = place && (await this.heldAt(place.root));
    if (place === undefined || item?.kind !== "folder") return [];
    const entry = (rest: string, { size, lastModified }: File): PickedEntry => ({
      path: `${place.root}/${rest}`,
      size,
      lastModified,
    });
    const prefix = place.rest === "" ? "" : `${place.rest}/`;
    if (item.handle === undefined)
      return item.files
        .filter(({ path }) => path.startsWith(prefix))
        .map(({ path, file }) => entry(path, file));
    try {
      const directory = await directoryBelow(item.handle, place.rest);
      const found: PickedEntry[] = [];
      for await (const [path, file] of filesBelow(directory, prefix)) found.push(entry(path, file));
      return found;
    } catch (error) {
      if (reasonOf(error) === "missing") return [];
      throw error;
    }
  }

  /** What is held at a path; a new engine waits for pages to say so. */
  private async heldAt(root: string): Promise<PickedItem | undefined> {
    while (!this.held.has(root) && Date.now() < this.settled) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(() => done(), Math.max(0, this.settled - Date.now()));
        const done = (): void => {
          clearTimeout(timer);
          this.arrivals.delete(done);
          resolve();
        };
        this.arrivals.add(done);
      });
    }
    return this.held.get(root)?.item;
  }

  /** Two folders may have one name, where handles can tell them apart. The later pick takes the place otherwise. */
  private async pathOfFolder({ name, handle }: PickedItem & { kind: "folder" }): Promise<string> {
    for (let n = 1; ; n++) {
      const path = `${SCHEME}${FOLDER}/${safeName(name)}${n === 1 ? "" : ` ${n}`}`;
      const other = this.held.get(path)?.item.handle;
      if (other === undefined || handle === undefined || (await handle.isSameEntry(other))) return path;
    }
  }

  /** Lets go of an earlier version of a file, which can't be read any more. */
  private async dropEarlier({ file, handle }: PickedItem & { kind: "file" }, path: string): Promise<void> {
    if (handle === undefined) return;
    for (const [old, { item }] of this.held) {
      if (old === path || item.kind !== "file" || item.handle === undefined) continue;
      if (item.file.name === file.name && (await handle.isSameEntry(item.handle))) await this.forget(old);
    }
  }
}

/** Whether a handle may be read. Browsers that ask nobody have no such question. */
async function permissionOf(handle: FileSystemHandle | undefined): Promise<PermissionState> {
  const asked = handle as
    | { queryPermission?(options: { mode: "read" }): Promise<PermissionState> }
    | undefined;
  return (await asked?.queryPermission?.({ mode: "read" })) ?? "granted";
}

async function pathOfFile(file: File): Promise<string> {
  const { name, size, lastModified } = file;
  const ends = new Blob([file.slice(0, SAMPLE), file.slice(Math.max(SAMPLE, size - SAMPLE))]);
  const sample = hashBytes(new Uint8Array(await ends.arrayBuffer()));
  const identity = hashStruct(["Picked", name, size, String(lastModified), sample]);
  return `${SCHEME}${identity.slice(0, DIGITS)}/${safeName(name)}`;
}

const safeName = (name: string): string => name.replaceAll("/", "_") || "_";

/** What was picked that a path leads to, and the way from there. */
function placeOf(path: string): { readonly root: string; readonly rest: string } | undefined {
  const [head, name, ...rest] = path.replace(/^picked:\/\//i, "").split("/");
  if (!head || !name || rest.includes("..")) return undefined;
  return {
    root: `${SCHEME}${head}/${name}`,
    rest: rest.filter((part) => part !== "" && part !== ".").join("/"),
  };
}

/** A file that is still what was picked. */
async function findFile({ file, handle }: PickedItem & { kind: "file" }): Promise<PickedFound> {
  if (handle === undefined) return { kind: "file", file };
  const now = await handle.getFile();
  const isSame = now.size === file.size && now.lastModified === file.lastModified;
  return isSame ? { kind: "file", file: now } : { kind: "changed" };
}

function findAmong(files: readonly { path: string; file: File }[], rest: string): PickedFound {
  if (rest === "" || files.some(({ path }) => path.startsWith(`${rest}/`))) return { kind: "folder" };
  const found = files.find(({ path }) => path === rest);
  return found === undefined ? { kind: "missing" } : { kind: "file", file: found.file };
}

async function findBelow(root: FileSystemDirectoryHandle, rest: string): Promise<PickedFound> {
  const at = rest.lastIndexOf("/");
  if (rest === "") return { kind: (await permissionOf(root)) === "granted" ? "folder" : "permission" };
  const directory = await directoryBelow(root, rest.slice(0, Math.max(0, at)));
  const name = rest.slice(at + 1);
  try {
    return { kind: "file", file: await (await directory.getFileHandle(name)).getFile() };
  } catch (error) {
    if ((error as Error).name !== "TypeMismatchError") throw error;
    return { kind: "folder" };
  }
}

async function directoryBelow(
  root: FileSystemDirectoryHandle,
  path: string,
): Promise<FileSystemDirectoryHandle> {
  let directory = root;
  for (const part of path.split("/").filter(Boolean)) directory = await directory.getDirectoryHandle(part);
  return directory;
}

async function* filesBelow(
  directory: FileSystemDirectoryHandle,
  prefix: string,
): AsyncGenerator<readonly [path: string, file: File]> {
  for await (const [name, handle] of directory.entries()) {
    if (handle.kind === "directory")
      yield* filesBelow(handle as FileSystemDirectoryHandle, `${prefix}${name}/`);
    else yield [prefix + name, await (handle as FileSystemFileHandle).getFile()];
  }
}

function reasonOf(error: unknown): "permission" | "missing" | "changed" {
  switch ((error as Error).name) {
    case "NotAllowedError":
      return "permission";
    case "NotFoundError":
    case "TypeMismatchError":
      return "missing";
    default:
      return "changed";
  }
}
