import type { ArgumentRow, Backend, CallNodeRow, ValueRow } from "./backend.ts";

/** What data flow starts from. */
export type DataflowRoot =
  | { readonly kind: "CallNode"; readonly call: CallNodeRow }
  | { readonly kind: "Value"; readonly value: ValueRow };

/** A step of data on its way: a value, a call, a call's result or a part of it, or an argument. */
export type DataflowNode =
  | { readonly kind: "value"; readonly key: string; readonly valueHash: string }
  | { readonly kind: "call"; readonly key: string; readonly call: CallNodeRow }
  | { readonly kind: "result"; readonly key: string; readonly call: CallNodeRow; readonly valueHash: string }
  | {
      readonly kind: "argument";
      readonly key: string;
      readonly call: CallNodeRow;
      readonly argument: ArgumentRow;
      readonly valueHash: string;
    };

/** Tasks of the engine's own that say nothing to a reader. */
const INTERNAL: ReadonlySet<string> = new Set([
  "redun.script",
  "redun.postprocess_script",
  "redun.postprocessScript",
]);
/** A history longer than this many steps is cut. */
const MOST_NODES = 2000;

/** Where data came from: each node's sources, in order. A node without any is an origin. */
export interface Dataflow {
  readonly root: DataflowNode;
  readonly sources: ReadonlyMap<string, readonly DataflowNode[]>;
  /** Whether all was followed, rather than cut off for its size. */
  readonly isComplete: boolean;
}

/** Options of {@link traceDataflow}. */
export interface DataflowOptions {
  /** Most nodes that are followed. Default 2000. */
  readonly limit?: number | undefined;
  /** Most records that are read, as one value may come from very many calls. Default: as many as it takes. */
  readonly maxReads?: number | undefined;
}

const resultNode = (call: CallNodeRow, valueHash: string): DataflowNode => ({
  kind: "result",
  key: `result ${call.callHash} ${valueHash}`,
  call,
  valueHash,
});
const callNode = (call: CallNodeRow): DataflowNode => ({ kind: "call", key: `call ${call.callHash}`, call });
const argumentNode = (call: CallNodeRow, argument: ArgumentRow, valueHash: string): DataflowNode => ({
  kind: "argument",
  key: `argument ${argument.argHash} ${valueHash}`,
  call,
  argument,
  valueHash,
});

/** Arguments by position, then those by name. */
export function sortedArguments({ args }: CallNodeRow): ArgumentRow[] {
  return [...args].sort((a, b) => {
    if (a.position !== null && b.position !== null) return a.position - b.position;
    if (a.position !== null || b.position !== null) return a.position !== null ? -1 : 1;
    return a.key! < b.key! ? -1 : 1;
  });
}

/** Walks from a call's result or a value to all that it came from. */
export async function traceDataflow(
  backend: Backend,
  root: DataflowRoot,
  { limit = MOST_NODES, maxReads = Infinity }: DataflowOptions = {},
): Promise<Dataflow> {
  const tracer = new Tracer(backend, maxReads);
  const start: DataflowNode =
    root.kind === "CallNode"
      ? resultNode(root.call, root.call.valueHash)
      : { kind: "value", key: `value ${root.value.hash}`, valueHash: root.value.hash };
  const sources = new Map<string, readonly DataflowNode[]>();
  const stack = [start];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (sources.has(node.key)) continue;
    if (sources.size >= limit) return { root: start, sources, isComplete: false };
    try {
      const next = await tracer.step(node);
      sources.set(node.key, next);
      for (const source of next.toReversed()) stack.push(source);
    } catch (error) {
      if (error !== SPENT) throw error;
      return { root: start, sources, isComplete: false };
    }
  }
  return { root: start, sources, isComplete: true };
}

/** Thrown where more would be read than may be. */
const SPENT = new Error("Too many records are read");
/** Of so many calls, the newest, it is found out which of them made a value, where reading is limited. */
const NEWEST = 1000;

class Tracer {
  private readonly backend: Backend;
  private readsLeft: number;
  private readonly calls = new Map<string, CallNodeRow | undefined>();
  private readonly subvalues = new Map<string, ReadonlySet<string>>();

  constructor(backend: Backend, maxReads: number) {
    this.backend = backend;
    this.readsLeft = maxReads;
  }

  /** @throws SPENT if so many records more may not be read */
  private spend(reads: number): void {
    this.readsLeft -= reads;
    if (this.readsLeft < 0) throw SPENT;
  }

  step(node: DataflowNode): Promise<DataflowNode[]> {
    switch (node.kind) {
      case "value":
        return this.fromValue(node.valueHash);
      case "result":
        return this.fromResult(node.call, node.valueHash);
      case "call":
        return Promise.resolve(
          sortedArguments(node.call).map((argument) => argumentNode(node.call, argument, argument.valueHash)),
        );
      case "argument":
        return this.fromArgument(node);
    }
  }

  /** The newest call that returned the value itself, rather than passed on what a call below it returned. */
  private async fromValue(valueHash: string): Promise<DataflowNode[]> {
    const hashes = await this.backend.callsOfValue(valueHash, "result");
    const some = this.readsLeft === Infinity ? hashes : hashes.slice(-NEWEST);
    const calls = (await this.load(some)).filter(({ taskName }) => !INTERNAL.has(taskName));
    const known = new Set(calls.map(({ callHash }) => callHash));
    const routing = new Set<string>();
    for (const { callHash } of calls) await this.markAncestors(callHash, known, routing);
    const makers = calls.filter(({ callHash }) => !routing.has(callHash));
    let best: { call: CallNodeRow; time: number } | undefined;
    for (const call of makers) {
      this.spend(1);
      const job = await newestJobOf(this.backend, [call.callHash]);
      const time = job?.startTime ?? call.timestamp;
      if (best === undefined || time > best.time) best = { call, time };
    }
    return best === undefined ? [] : [resultNode(best.call, valueHash)];
  }

  private async markAncestors(
    callHash: string,
    among: ReadonlySet<string>,
    marked: Set<string>,
  ): Promise<void> {
    const seen = new Set([callHash]);
    const stack = [callHash];
    for (let hash = stack.pop(); hash !== undefined; hash = stack.pop()) {
      const parents = await this.backend.parentCalls(hash);
      this.spend(parents.length);
      for (const parent of parents) {
        if (seen.has(parent)) continue;
        seen.add(parent);
        // Only calls that return the value too can route it.
        if (!among.has(parent)) continue;
        marked.add(parent);
        stack.push(parent);
      }
    }
  }

  /** Into the one call below that returned the value, or else to the call's own work. */
  private async fromResult(call: CallNodeRow, valueHash: string): Promise<DataflowNode[]> {
    const children = await this.load([...new Set(call.children)]);
    const makers: CallNodeRow[] = [];
    for (const child of children) if (await this.holds(child.valueHash, valueHash)) makers.push(child);
    const [only] = makers;
    return only !== undefined && makers.length === 1 ? [resultNode(only, valueHash)] : [callNode(call)];
  }

  private async fromArgument({
    call,
    argument,
    valueHash,
  }: DataflowNode & { kind: "argument" }): Promise<DataflowNode[]> {
    const found: DataflowNode[] = [];
    for (const upstream of await this.inCallOrder(call, await this.load(argument.upstream))) {
      const part = await this.holds(upstream.valueHash, valueHash);
      found.push(resultNode(upstream, part ? valueHash : upstream.valueHash));
    }
    const parent = await this.newestParentWith(call, valueHash);
    if (parent !== undefined) found.push(argumentNode(parent.call, parent.argument, valueHash));
    return unifyParts(found);
  }

  /** Sorts calls as the parent made them, which the record of an argument does not tell. */
  private async inCallOrder(call: CallNodeRow, calls: CallNodeRow[]): Promise<CallNodeRow[]> {
    if (calls.length < 2) return calls;
    const parents = await this.load(await this.backend.parentCalls(call.callHash));
    const order = parents
      .map(({ children }) => children)
      .find((hashes) => calls.every(({ callHash }) => hashes.includes(callHash)));
    if (order === undefined) return calls;
    return calls.sort((a, b) => order.indexOf(a.callHash) - order.indexOf(b.callHash));
  }

  private async newestParentWith(
    call: CallNodeRow,
    valueHash: string,
  ): Promise<{ call: CallNodeRow; argument: ArgumentRow } | undefined> {
    let best: { call: CallNodeRow; argument: ArgumentRow } | undefined;
    for (const parent of await this.load(await this.backend.parentCalls(call.callHash))) {
      if (best !== undefined && parent.timestamp <= best.call.timestamp) continue;
      for (const argument of sortedArguments(parent)) {
        if (!(await this.holds(argument.valueHash, valueHash))) continue;
        best = { call: parent, argument };
        break;
      }
    }
    return best;
  }

  private async load(hashes: readonly string[]): Promise<CallNodeRow[]> {
    const missing = hashes.filter((hash) => !this.calls.has(hash));
    this.spend(missing.length);
    if (missing.length > 0) {
      for (const [i, call] of (await this.backend.getCallNodes(missing)).entries())
        this.calls.set(missing[i]!, call);
    }
    return hashes.flatMap((hash) => this.calls.get(hash) ?? []);
  }

  /** Whether a value is another, or has it as a part. */
  private async holds(outer: string, inner: string): Promise<boolean> {
    if (outer === inner) return true;
    let parts = this.subvalues.get(outer);
    if (parts === undefined) {
      this.spend(1);
      const [value] = await this.backend.getValues([outer]);
      parts = new Set(value?.subvalues);
      this.subvalues.set(outer, parts);
    }
    return parts.has(inner);
  }
}

/** Several parts of one call's result count as the whole of it. */
function unifyParts(nodes: readonly DataflowNode[]): DataflowNode[] {
  const unified = new Map<string, DataflowNode>();
  for (const node of nodes) {
    const id = node.kind === "result" ? node.call.callHash : node.key;
    const earlier = unified.get(id);
    if (node.kind === "result" && earlier !== undefined && earlier.key !== node.key) {
      unified.set(id, resultNode(node.call, node.call.valueHash));
    } else unified.set(id, node);
  }
  return [...unified.values()];
}

/** The newest of the jobs of some calls. */
export async function newestJobOf(
  backend: Backend,
  callHashes: readonly string[],
): Promise<{ id: string; startTime: number } | undefined> {
  if (callHashes.length === 0) return undefined;
  const [found] = await backend.find({ type: "Job", callHashes, limit: 1 });
  const [job] = found === undefined ? [] : await backend.getJobs([found.id]);
  return job;
}
