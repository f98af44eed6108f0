import { Dexie, type Table } from "dexie";
import { ALL, type Key, type KeyRange } from "./indexed-db-keys.ts";

/** Records, or what is made of them, a thousand at a time, so that a large store is never in memory as a whole. */
export type Pages<T> = AsyncIterable<readonly T[]>;

/** Records of one page at most. */
const PAGE = 1000;

/** A list by pages. */
export function* pagesOf<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < list.length; from += PAGE) yield list.slice(from, from + PAGE);
}

/** Records by their keys. */
export async function* pagesOfKeys<T>(table: Table<T, Key>, keys: Iterable<Key>): AsyncGenerator<T[]> {
  for (const page of pagesOf([...keys])) {
    yield (await table.bulkGet([...page])).filter((record) => record !== undefined);
  }
}

/** All records whose keys are in ranges, in the order of their keys. */
export async function* pagesOfAll<T>(
  table: Table<T, Key>,
  keyOf: (record: T) => Key,
  ranges: readonly KeyRange[] = ALL,
): AsyncGenerator<T[]> {
  for (const { lower, upper } of ranges) {
    let last: Key | undefined;
    for (;;) {
      const range = table.where(":id").between(last ?? lower, upper, last === undefined, true);
      const page = await range.limit(PAGE).toArray();
      yield page;
      if (page.length < PAGE) break;
      last = keyOf(page.at(-1)!);
    }
  }
}

/** The keys of a store (`:id`), or those of an index, that are in ranges; sorted and each once. */
export async function* pagesOfIndex(
  table: Table<unknown, Key>,
  index: string,
  ranges: readonly KeyRange[],
): AsyncGenerator<Key[]> {
  for (const { lower, upper } of ranges) {
    let last: Key | undefined;
    for (;;) {
      const range = table
        .where(index)
        .between(last ?? lower, upper, last === undefined, true)
        .limit(PAGE);
      const page = index === ":id" ? await range.primaryKeys() : ((await range.uniqueKeys()) as Key[]);
      yield page;
      if (page.length < PAGE) break;
      last = page.at(-1)!;
    }
  }
}

/** What is ordered by its start. */
interface Timed {
  readonly id: Key;
  readonly startTime: number;
}

/**
 * Records newest first.
 *
 * @param index - ends with `startTime` and `id`
 * @param prefix - keys before those two
 */
export async function* newestFirst<T extends Timed>(
  table: Table<T, Key>,
  index: string,
  prefix: readonly Key[] = [],
): AsyncGenerator<T[]> {
  let upper: readonly unknown[] = [...prefix, Dexie.maxKey];
  for (;;) {
    const range = table.where(index).between([...prefix, Dexie.minKey], upper, true, false);
    const page = await range.reverse().limit(PAGE).toArray();
    yield page;
    if (page.length < PAGE) return;
    const { startTime, id } = page.at(-1)!;
    upper = [...prefix, startTime, id];
  }
}

/** Keys of records newest first, of several ranges together; only the keys are in memory. */
export async function orderedKeys<T extends Timed>(
  table: Table<T, Key>,
  index: string,
  prefixes: readonly Key[],
): Promise<Key[]> {
  const found: Timed[] = [];
  for (const prefix of prefixes) {
    const range = table.where(index).between([prefix, Dexie.minKey], [prefix, Dexie.maxKey]);
    for (const key of (await range.keys()) as unknown as [Key, number, Key][]) {
      found.push({ startTime: key[1], id: key[2] });
    }
  }
  return found.sort(byStart).map(({ id }) => id);
}

/** Newest first; ids made later are greater. */
export const byStart = (a: Timed, b: Timed): number =>
  b.startTime - a.startTime || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** Keys of two sorted streams in one, each once. */
export async function* union(a: Pages<Key>, b: Pages<Key>): AsyncGenerator<Key[]> {
  const [left, right] = [new Ahead(a), new Ahead(b)];
  let page: Key[] = [];
  for (;;) {
    // A promise for each key would cost more than the rest.
    if (left.needsPage) await left.read();
    if (right.needsPage) await right.read();
    const [x, y] = [left.next, right.next];
    if (x === undefined && y === undefined) break;
    const next = y === undefined || (x !== undefined && x < y) ? x! : y;
    if (x === next) left.skip();
    if (y === next) right.skip();
    page.push(next);
    if (page.length < PAGE) continue;
    yield page;
    page = [];
  }
  yield page;
}

/** The keys of pages one by one, the next of them in sight. */
class Ahead {
  private readonly pages: AsyncIterator<readonly Key[]>;
  private page: readonly Key[] = [];
  private at = 0;
  private isDone = false;

  constructor(pages: Pages<Key>) {
    this.pages = pages[Symbol.asyncIterator]();
  }

  get needsPage(): boolean {
    return this.at >= this.page.length && !this.isDone;
  }

  /** The next key; none is left if there is none. */
  get next(): Key | undefined {
    return this.page[this.at];
  }

  skip(): void {
    this.at++;
  }

  async read(): Promise<void> {
    while (this.needsPage) {
      const { done, value } = await this.pages.next();
      this.isDone = done === true;
      this.page = done ? [] : value;
      this.at = 0;
    }
  }
}
