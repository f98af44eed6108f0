import type { DraftCall, DraftCalls } from "./indexed-db-draft.ts";
import { asideKey, type Key } from "./indexed-db-keys.ts";
import type { StoredCall, StoredCalls } from "./indexed-db-records.ts";

/** What the database gets for one cache key. */
export interface Merged {
  /** The record, and perhaps the one that is put aside for it. */
  readonly records: readonly StoredCalls[];
  /** How many calls are new. */
  readonly added: number;
}

/** What is known of calls while they are merged. */
export interface MergeContext {
  /** Whether a call is in the database or the batch, so that an edge may lead to it. */
  readonly isKnown: (callHash: Key) => boolean;
  /** Whether a call is in a record that was put aside. */
  readonly isAside: (callHash: Key) => boolean;
  /** Whether a single reduction was promised and its value is still not there. */
  readonly isVacant: (valueHash: Key) => boolean;
}

/** Whether a record has no room for another call. */
export const isFull = ({ calls, held, below }: StoredCalls): boolean =>
  calls.length >= 16 || held.length >= 64 || below.length >= 5000;

/**
 * Puts what a batch brings for a cache key together with what is there. Calls that are there stay as they are; only
 * values may be added to them, and the single reduction is replaced.
 *
 * @returns nothing if there is nothing to write
 */
export function mergeCalls(
  stored: StoredCalls | undefined,
  draft: DraftCalls,
  context: MergeContext,
): Merged | undefined {
  const fresh = [...draft.calls].filter(
    ([hash]) => !stored?.callHashes.includes(hash) && !context.isAside(hash),
  );
  if (stored === undefined || fresh.length === 0 || !isFull(stored))
    return extend(stored, draft, fresh, context);
  const { single, older = 0, ...full } = stored;
  const aside = { ...full, evalHash: asideKey(stored.evalHash, older) };
  const merged = extend(begin(stored, older + 1), draft, fresh, context)!;
  return { records: [...merged.records, aside], added: merged.added };
}

/** A record in place of a full one, of which it keeps the single reduction. */
function begin(full: StoredCalls, older: number): StoredCalls {
  const { evalHash, taskHash, argsHash, single } = full;
  const place = single === undefined ? -1 : full.held.indexOf(single);
  return {
    evalHash,
    taskHash,
    argsHash,
    older,
    ...(single === undefined ? {} : { single }),
    callHashes: [],
    calls: [],
    held: place < 0 ? [] : [single!],
    values: place < 0 ? [] : [full.values[place]!],
    uses: [],
    below: [],
  };
}

function extend(
  stored: StoredCalls | undefined,
  draft: DraftCalls,
  fresh: readonly (readonly [Key, DraftCall])[],
  { isKnown, isVacant }: MergeContext,
): Merged | undefined {
  const below = new Places(stored?.below ?? []);
  const callHashes = [...(stored?.callHashes ?? []), ...fresh.map(([hash]) => hash)];
  const calls = [...(stored?.calls ?? []), ...fresh.map(([, call]) => withEdges(call, below, isKnown))];
  const held = new Places(stored?.held ?? []);
  const values = [...(stored?.values ?? [])];
  for (const [hash, value] of draft.held) if (held.add(hash)) values.push(value);
  const before = stored?.single;
  const isOpen = before === undefined || (draft.promised !== undefined && isVacant(before));
  const single = draft.single ?? (isOpen ? draft.promised : before);
  const isSame = fresh.length === 0 && single === stored?.single && values.length === stored?.values.length;
  if (stored !== undefined && isSame) return undefined;
  const uses = new Set<Key>();
  for (const { value, args } of calls) {
    if (!held.has(value)) uses.add(value);
    for (const arg of args) if (!held.has(arg.value)) uses.add(arg.value);
  }
  const times = [stored?.time, draft.time].filter((time) => time !== undefined);
  const { evalHash, taskHash, argsHash } = draft;
  const record = {
    evalHash,
    taskHash,
    argsHash,
    ...(stored?.older === undefined ? {} : { older: stored.older }),
    ...(single === undefined ? {} : { single }),
    callHashes,
    calls,
    held: held.keys,
    values,
    uses: [...uses],
    below: below.keys,
    ...(times.length === 0 ? {} : { time: Math.max(...times) }),
  };
  return { records: [record], added: fresh.length };
}

function withEdges(call: DraftCall, below: Places, isKnown: (callHash: Key) => boolean): StoredCall {
  // An import brings calls in any order, so what it refers to may come later.
  const isThere = call.promised ? (): boolean => true : isKnown;
  return {
    ...call,
    args: call.args.map((arg) => ({ ...arg, upstream: [...new Set(arg.upstream)].filter(isThere).sort() })),
    children: call.children.filter(isThere).map((hash) => below.at(hash)),
  };
}

/** A list of keys, each once, with their places. */
class Places {
  readonly keys: Key[];
  private readonly places = new Map<Key, number>();

  constructor(keys: readonly Key[]) {
    this.keys = [...keys];
    keys.forEach((key, i) => {
      this.places.set(key, i);
    });
  }

  has(key: Key): boolean {
    return this.places.has(key);
  }

  /** @returns whether the key is new */
  add(key: Key): boolean {
    if (this.places.has(key)) return false;
    this.places.set(key, this.keys.length);
    this.keys.push(key);
    return true;
  }

  at(key: Key): number {
    this.add(key);
    return this.places.get(key)!;
  }
}
