import { expect, test } from "vitest";
import type { RecordJson } from "../../src/backend/backend.ts";
import { batchOf } from "../../src/backends/contract-records.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { Dir, encodeValue, File, FileSet, hashBytes, registerValue, task } from "../../src/index.ts";

class Own {
  readonly key: string;
  constructor(key: string) {
    this.key = key;
  }
}
registerValue({
  name: "test.Own",
  is: (value) => value instanceof Own,
  encode: (own: Own) => own.key,
  decode: (key: string) => {
    if (key === "unreadable") throw new Error("of an earlier version");
    return new Own(key);
  },
  hash: (own) => hashBytes(`own ${own.key}`),
});

const hash = hashBytes("a file");
const add = task("hashes.add", (a: number, b: number) => a + b);

/** The record of a value, as a store exports it. */
async function recordOf(value: unknown): Promise<RecordJson> {
  const store = new MemoryBackend();
  const encoded = encodeValue(value);
  store.write(batchOf({ values: [encoded] }));
  return (await store.exportRecords([encoded.hash]))[0]!;
}

const withText = (record: RecordJson, change: (text: string) => string): RecordJson => ({
  ...record,
  data: btoa(change(atob(String(record.data)))),
});

const importing = (record: RecordJson): Promise<number> => new MemoryBackend().importRecords([record]);

test.each<[string, unknown]>([
  ["a number without a form in JSON", -0],
  ["a set", new Set([3, 1, 2])],
  ["a set of sets", new Set([new Set([1]), new Set([2])])],
  ["a map", new Map([[{ a: 1 }, new Set([1])]])],
  ["bytes", new Uint8Array([1, 2, 3])],
  ["a date", new Date(5)],
  ["an error", new TypeError("no", { cause: new Error("why") })],
  ["a file", new File("a.txt", hash)],
  ["a folder", new Dir("folder", hash)],
  ["a set of files", new FileSet("*.txt", hash)],
  ["a list of files", [new File("a.txt", hash), new File("b.txt", hash)]],
  ["a task", add],
  ["a task with options", add.options({ memory: 4 })],
  ["a partial task", add.partial(1)],
  ["a call", add(1, 2)],
  ["a call of calls, one of them twice", [add(add(1, 2), 3), { again: add(1, 2) }]],
  ["a call in a set", new Set([add(1, 2), add(3, 4)])],
  [
    "a call with a task, a file and options",
    add.options({ tags: [["k", 1]] })(add as never, new File("a.txt", hash) as never),
  ],
  ["a type of the user's with a hash of its own", new Own("a")],
  ["a call with such", add(new Own("a") as never, 1)],
])("%s is taken for what it is", async (_what, value) => {
  expect(await importing(await recordOf(value))).toBe(1);
});

test.each<[string, unknown, string, string]>([
  ["a set with another item", new Set([3, 1, 2]), "3", "4"],
  ["a folder of another hash", new Dir("folder", hash), hash, hashBytes("other")],
  ["a call with another argument", add(1, 2), "2", "3"],
  ["a call of another task", add(1, 2), "hashes.add", "hashes.sub"],
  ["a nested call with another argument", [add(add(1, 2), 3)], "[1,2]", "[1,7]"],
  ["a task of another hash", add, add.hash, hashBytes("other")],
  ["a type of the user's with other data", new Own("a"), '"a"', '"b"'],
  ["a call that can't be read", add(1, 2), "[1,2]", '"none"'],
])("%s is refused", async (_what, value, from, to) => {
  const record = await recordOf(value);
  await expect(importing(withText(record, (text) => text.replaceAll(from, to)))).rejects.toThrow(
    `Cannot import the Value record ${record.value_hash}`,
  );
});

test("what a type of the user's can't read any more is kept as it is", async () => {
  const record = withText(await recordOf(new Own("a")), (text) => text.replace('"a"', '"unreadable"'));
  expect(await importing(record)).toBe(1);
});
