import { afterEach, describe, expect, test } from "vitest";
import { closeAll, open, resultOf, runOn } from "./engine-calls.ts";

describe("what code of a workflow may reach", () => {
  afterEach(closeAll);

  /** Tries all that it can think of, and tells what it came to. */
  const MALICE = `import { task } from "redun";
const NAMES = ["BroadcastChannel", "Worker", "SharedWorker", "indexedDB", "caches", "importScripts",
  "webkitRequestFileSystem", "webkitRequestFileSystemSync", "IDBFactory", "CacheStorage", "StorageManager"];
const chain = (object) => object === null ? [] : [object, ...chain(Object.getPrototypeOf(object))];
async function attack(repo) {
  const found = NAMES.filter((name) => name in globalThis);
  for (const name of ["locks", "serviceWorker", "storageBuckets"]) if (name in navigator) found.push(name);
  for (const at of [...chain(globalThis), ...chain(navigator)]) {
    for (const [name, { get }] of Object.entries(Object.getOwnPropertyDescriptors(at))) {
      if (/^(indexedDB|caches|storage|locks)$/.test(name) && get !== undefined) found.push("getter of " + name);
    }
  }
  if (navigator.storage.getDirectory !== undefined) found.push("directory");
  try {
    const channel = new BroadcastChannel("redun-engine-" + repo);
    channel.postMessage({ kind: "engine", engine: "spoofed" });
    found.push("channel");
  } catch {}
  try {
    await (await caches.open("redun-app")).put("./", new Response("spoofed"));
    found.push("cache");
  } catch {}
  try {
    new Worker(URL.createObjectURL(new Blob(["new BroadcastChannel('x')"])));
    found.push("worker");
  } catch {}
  // What its own realm opens on its behalf may be looked at on the way.
  const handles = [];
  const { getDirectoryHandle } = FileSystemDirectoryHandle.prototype;
  FileSystemDirectoryHandle.prototype.getDirectoryHandle = function (...args) {
    handles.push(this);
    return getDirectoryHandle.apply(this, args);
  };
  await new File("opfs://attack/a.txt").write("x");
  for (const handle of handles) {
    for (const name of [".redun", ".."]) {
      try {
        await getDirectoryHandle.call(handle, name);
        found.push("store by " + handle.name);
      } catch {}
    }
  }
  FileSystemDirectoryHandle.prototype.getDirectoryHandle = getDirectoryHandle;
  return [...new Set(found)];
}
`;
  const plain = `${MALICE}export const main = task("tab.attack", (repo) => attack(repo));`;
  const beside = `${MALICE}export const main = task("tab.attack", async (repo) => attack(repo));`;

  test.each([
    ["a job worker", plain, "opfs"],
    ["the engine's worker", beside, "opfs"],
    ["the engine's worker with IndexedDB", beside, "indexeddb"],
  ] as const)(
    "from %s: no channel, no other store, no cache, no further worker",
    async (_place, code, store) => {
      const engine = await open(`test-${crypto.randomUUID()}`, { store });
      const victim = await open(`test-${crypto.randomUUID()}`);
      const moves: unknown[] = [];
      for (const each of [engine, victim]) each.onMoved(() => void moves.push(each));
      const text = { entry: "attack.ts", files: { "attack.ts": code.replace("{ task }", "{ File, task }") } };
      expect(resultOf(await runOn(engine, "tab.attack", [(await victim.info()).repo], text))).toEqual([]);
      expect(moves).toEqual([]);
      // The engine itself goes on, builds and stores.
      expect(resultOf(await runOn(engine, "tab.main", [2]))).toBe(10);
      expect(await engine.info()).toMatchObject({ store, usage: expect.any(Number) });
      expect(await engine.query("count", { type: "Execution" })).toBe(2);
    },
  );
});
