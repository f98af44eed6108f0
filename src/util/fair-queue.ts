/** What waits of one group, oldest first. What was taken is cut off now and then, since cutting moves the rest. */
interface Group<T> {
  readonly name: string;
  items: T[];
  /** Where the oldest one is. */
  head: number;
}

/** So many places before a group's oldest item are left empty. */
const SLACK = 1000;

/**
 * A queue whose groups take turns, so that a group of many keeps none of few waiting. Within a group, the first to come
 * is the first to go. Adding and taking cost the same however many wait.
 */
export class FairQueue<T> {
  private readonly groupOf: (item: T) => string;
  private readonly groups = new Map<string, Group<T>>();
  /** Those in which something waits, in the order of their turns; the next one's place is `turn`. */
  private turns: Group<T>[] = [];
  private turn = 0;
  private count = 0;

  /** @param groupOf - the group that an item belongs to */
  constructor(groupOf: (item: T) => string) {
    this.groupOf = groupOf;
  }

  get size(): number {
    return this.count;
  }

  add(item: T): void {
    this.group(item).items.push(item);
    this.count++;
  }

  /** Puts items back that were taken, before those of their groups that wait. */
  putBack(items: readonly T[]): void {
    for (const item of [...items].reverse()) {
      const group = this.group(item);
      if (group.head > 0) group.items[--group.head] = item;
      else group.items.unshift(item);
      this.count++;
    }
  }

  /** The item whose turn it is. */
  peek(): T | undefined {
    const group = this.turns[this.turn];
    return group?.items[group.head];
  }

  /** Takes the item whose turn it is, and passes the turn on. */
  take(): T | undefined {
    const group = this.turns[this.turn];
    if (group === undefined) return undefined;
    const item = group.items[group.head++];
    this.count--;
    this.turn++;
    this.tidy(group);
    return item;
  }

  /** @returns whether it was there */
  remove(item: T): boolean {
    const group = this.groups.get(this.groupOf(item));
    const index = group?.items.indexOf(item, group.head) ?? -1;
    if (group === undefined || index < 0) return false;
    if (index === group.head) group.head++;
    else group.items.splice(index, 1);
    this.count--;
    this.tidy(group);
    return true;
  }

  /** Takes all items that a condition holds for, group by group. */
  takeAll(condition: (item: T) => boolean = () => true): T[] {
    const taken: T[] = [];
    for (const group of [...this.turns]) {
      const waiting = group.items.slice(group.head);
      taken.push(...waiting.filter(condition));
      group.items = waiting.filter((item) => !condition(item));
      group.head = 0;
      this.tidy(group);
    }
    this.count -= taken.length;
    return taken;
  }

  private group(item: T): Group<T> {
    const name = this.groupOf(item);
    let group = this.groups.get(name);
    if (group === undefined) {
      group = { name, items: [], head: 0 };
      this.groups.set(name, group);
      this.turns.push(group);
    }
    return group;
  }

  /** Forgets a group in which nothing waits, and what was taken from one. */
  private tidy(group: Group<T>): void {
    if (group.head === group.items.length) {
      const index = this.turns.indexOf(group);
      this.turns.splice(index, 1);
      this.groups.delete(group.name);
      if (index < this.turn) this.turn--;
    } else if (group.head > SLACK && group.head > group.items.length / 2) {
      group.items = group.items.slice(group.head);
      group.head = 0;
    }
    if (this.turn >= this.turns.length) this.turn = 0;
  }
}
