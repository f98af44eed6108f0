import type { RecordSource } from "./record-store.ts";

/** Ids in one answer of the walk at most. */
const LAYER = 5000;

/**
 * Walks from roots to all that they refer to, layer by layer, each id once. A layer takes a fixed number of queries,
 * however many ids it has, up to {@link LAYER}.
 *
 * @param roots - default: all executions
 */
export async function* reachable(
  source: RecordSource,
  roots?: readonly string[],
): AsyncGenerator<readonly string[]> {
  const seen = new Set<string>();
  let layer = new Set(roots ?? (await source.find({ type: "Execution" })).map(({ id }) => id));
  while (layer.size > 0) {
    const next = new Set<string>();
    const ids = [...layer];
    for (let from = 0; from < ids.length; from += LAYER) {
      const part = ids.slice(from, from + LAYER);
      const known: string[] = [];
      const references = await referencesOf(source, part);
      for (const id of part) {
        const inside = references.get(id);
        if (inside === undefined || seen.has(id)) continue;
        seen.add(id);
        known.push(id);
        for (const other of inside) if (!seen.has(other)) next.add(other);
      }
      for (const tag of await source.tagsAround(known)) if (!seen.has(tag)) next.add(tag);
      if (known.length > 0) yield known;
    }
    layer = next;
  }
}

/** What each id refers to, besides its tags. Unknown ids are left out. */
async function referencesOf(
  source: RecordSource,
  ids: readonly string[],
): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>();
  const unknown = (): string[] => ids.filter((id) => !found.has(id));
  for (const row of await source.getExecutions(ids)) if (row !== undefined) found.set(row.id, [row.jobId]);
  const jobs = (await source.jobs(unknown())).filter((job) => job !== undefined);
  const children = await source.childJobs(jobs.map(({ id }) => id));
  for (const { id, taskHash, callHash } of jobs) {
    found.set(id, [taskHash, ...(callHash === null ? [] : [callHash]), ...(children.get(id) ?? [])]);
  }
  for (const call of await source.calls(unknown())) {
    if (call === undefined) continue;
    const args = call.args.flatMap(({ valueHash, upstream }) => [valueHash, ...upstream]);
    const others = [call.contextHash, call.singleHash].filter((hash) => hash !== null);
    found.set(call.callHash, [call.taskHash, call.valueHash, ...others, ...args, ...call.children]);
  }
  for (const [hash, parts] of await source.valueParts(unknown())) found.set(hash, parts);
  for (const [hash, tag] of await source.tags(unknown())) found.set(hash, tag.parents);
  return found;
}
