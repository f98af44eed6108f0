import type { DraftCall, DraftCalls } from "./indexed-db-draft.ts";
import type { Key } from "./indexed-db-keys.ts";
import type { StoredCall, StoredCalls } from "./indexed-db-records.ts";

/** What the database gets for one cache key. */
export interface Merged {
  readonly record: StoredCalls;
  /** How many calls are new. */
  readonly added: number;
}

/**
 * Puts what a batch brings for a cache key together with what is there. Calls that are there stay as they are; only
 * values may be added to them, and the single reduction is replaced.
 *
 * @param isKnown - whether a call is in the database or the batch, so that an edge may lead to it
 * @returns nothing if there is nothing to write
 */
export function mergeCalls(
  stored: StoredCalls | undefined,
  draft: DraftCalls,
  isKnown: (callHash: Key) => boolean,
): Merged | undefined {
  const callHashes = [...(stored?.callHashes ?? [])];
  const calls = [...(stored?.calls ?? [])];
  const below = new Places(stored?.below ?? []);
  for (const [hash, call] of draft.calls) {
    if (callHashes.includes(hash)) continue;
    callHashes.push(hash);
    calls.push(withEdges(call, below, isKnown));
  }
  const added = callHashes.length - (stored?.callHashes.length ?? 0);
  const held = new Places(stored?.held ?? []);
  const values = [...(stored?.values ?? [])];
  for (const [hash, value] of draft.held) if (held.add(hash)) values.push(value);
  const single = draft.single ?? stored?.single;
  const isSame = added === 0 && single === stored?.single && values.length === stored?.values.length;
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
    ...(single === undefined ? {} : { single }),
    callHashes,
    calls,
    held: held.keys,
    values,
    uses: [...uses],
    below: below.keys,
    ...(times.length === 0 ? {} : { time: Math.max(...times) }),
  };
  return { record, added };
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
