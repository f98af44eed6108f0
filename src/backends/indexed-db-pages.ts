import { Dexie, type Table } from "dexie";

/** Records, or what is made of them, a thousand at a time, so that a large store is never in memory as a whole. */
export type Pages<T> = AsyncIterable<readonly T[]>;

/** Records of one page at most. */
const PAGE = 1000;

/** A list by pages. */
export function* pagesOf<T>(list: readonly T[]): Iterable<readonly T[]> {
  for (let from = 0; from < list.length; from += PAGE) yield list.slice(from, from + PAGE);
}

/** Records by their keys. */
export async function* pagesOfKeys<T>(table: Table<T, string>, keys: Iterable<string>): AsyncGenerator<T[]> {
  for (const page of pagesOf([...keys])) {
    yield (await table.bulkGet([...page])).filter((record) => record !== undefined);
  }
}

/** All records in the order of their keys, from those on that begin with a prefix. */
export async function* pagesOfAll<T>(
  table: Table<T, string>,
  keyOf: (record: T) => string,
  prefix = "",
): AsyncGenerator<T[]> {
  let last: string | undefined;
  for (;;) {
    const range =
      last === undefined ? table.where(":id").startsWith(prefix) : between(table, ":id", last, prefix);
    const page = await range.limit(PAGE).toArray();
    yield page;
    if (page.length < PAGE) return;
    last = keyOf(page.at(-1)!);
  }
}

/** The keys of a store (`:id`), or those of an index, sorted and each once. */
export async function* pagesOfIndex(
  table: Table<unknown, string>,
  index: string,
  prefix = "",
): AsyncGenerator<string[]> {
  let last: string | undefined;
  for (;;) {
    const range =
      last === undefined ? table.where(index).startsWith(prefix) : between(table, index, last, prefix);
    const limited = range.limit(PAGE);
    const page = index === ":id" ? await limited.primaryKeys() : ((await limited.uniqueKeys()) as string[]);
    yield page;
    if (page.length < PAGE) return;
    last = page.at(-1)!;
  }
}

/** What is after a key and begins with a prefix. */
function between<T>(table: Table<T, string>, index: string, last: string, prefix: string) {
  return table.where(index).between(last, `${prefix}\uffff`, false, false);
}

/** What is ordered by its start. */
interface Timed {
  readonly id: string;
  readonly startTime: number;
}

/**
 * Records newest first.
 *
 * @param index - ends with `startTime` and `id`
 * @param prefix - keys before those two
 */
export async function* newestFirst<T extends Timed>(
  table: Table<T, string>,
  index: string,
  prefix: readonly string[] = [],
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
  table: Table<T, string>,
  index: string,
  prefixes: readonly string[],
): Promise<string[]> {
  const found: Timed[] = [];
  for (const prefix of prefixes) {
    const range = table.where(index).between([prefix, Dexie.minKey], [prefix, Dexie.maxKey]);
    for (const key of (await range.keys()) as unknown as [string, number, string][]) {
      found.push({ startTime: key[1], id: key[2] });
    }
  }
  return found.sort(byStart).map(({ id }) => id);
}

/** Newest first; ids made later are greater. */
export const byStart = (a: Timed, b: Timed): number =>
  b.startTime - a.startTime || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0);

/** Keys of two sorted streams in one, each once. */
export async function* union(a: Pages<string>, b: Pages<string>): AsyncGenerator<string[]> {
  const [left, right] = [new Peek(a), new Peek(b)];
  let page: string[] = [];
  for (;;) {
    const [x, y] = [await left.peek(), await right.peek()];
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

/** The items of pages, with a look at the next. */
class Peek {
  private readonly pages: AsyncIterator<readonly string[]>;
  private page: readonly string[] = [];
  private at = 0;

  constructor(pages: Pages<string>) {
    this.pages = pages[Symbol.asyncIterator]();
  }

  /** The next item; a promise of it where a page must be read. */
  peek(): string | undefined | Promise<string | undefined> {
    return this.at < this.page.length ? this.page[this.at] : this.read();
  }

  skip(): void {
    this.at++;
  }

  private async read(): Promise<string | undefined> {
    while (this.at >= this.page.length) {
      const { done, value } = await this.pages.next();
      if (done) return undefined;
      this.page = value;
      this.at = 0;
    }
    return this.page[this.at];
  }
}
