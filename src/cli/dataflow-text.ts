import type { Backend, CallNodeRow } from "../backend/backend.ts";
import {
  type Dataflow,
  type DataflowNode,
  type DataflowRoot,
  newestJobOf,
  sortedArguments,
  traceDataflow,
} from "../backend/dataflow.ts";
import type { Json } from "../value/json.ts";
import { displayStored, RecordReader } from "./record-lines.ts";

/** One line after an arrow. */
interface Target {
  readonly prefix: string;
  readonly display: string;
  readonly call: CallNodeRow | undefined;
}

interface Argument {
  readonly name: string;
  readonly hash: string;
  readonly display: string;
}

/** What one variable came from. */
interface Section {
  readonly name: string;
  readonly assign: Target;
  readonly routing: readonly Target[];
  readonly args: readonly Argument[];
}

/** Where a call's result or a value came from, as text: a section for each variable. */
export async function dataflowText(backend: Backend, root: DataflowRoot): Promise<string> {
  const sections = await dataflowSections(backend, root);
  return sections.map(sectionText).join("\n\n");
}

/** The same as JSON. */
export async function dataflowJson(backend: Backend, root: DataflowRoot): Promise<Json> {
  const sections = await dataflowSections(backend, root);
  const target = async ({ prefix, display, call }: Target): Promise<{ [key: string]: Json }> => {
    const job = call === undefined ? undefined : await newestJobOf(backend, [call.callHash]);
    const [row] = job === undefined ? [] : await backend.getJobs([job.id]);
    const ids = { job_id: row?.id ?? null, execution_id: row?.executionId ?? null };
    return { prefix, display, hash: call?.callHash ?? null, ...ids };
  };
  const documents: Json[] = [];
  for (const { name, assign, routing, args } of sections) {
    documents.push({
      assign: { var_name: name, ...(await target(assign)) },
      routing: await Promise.all(routing.map(target)),
      args: args.map((arg) => ({ var_name: arg.name, hash: arg.hash, value_display: arg.display })),
    });
  }
  return documents;
}

function sectionText({ name, assign, routing, args }: Section): string {
  const line = ({ prefix, display, call }: Target): string =>
    [prefix, call === undefined ? "" : `<${call.callHash.slice(0, 8)}>`, display].filter(Boolean).join(" ");
  const width = Math.max(0, ...args.map((arg) => arg.name.length));
  return [
    `${name} <-- ${line(assign)}`,
    ...routing.map((target) => `${" ".repeat(name.length)} <-- ${line(target)}`),
    ...args.map((arg) => `  ${arg.name.padEnd(width)} = <${arg.hash.slice(0, 8)}> ${arg.display}`),
  ].join("\n");
}

async function dataflowSections(backend: Backend, root: DataflowRoot): Promise<Section[]> {
  const flow = await traceDataflow(backend, root);
  const starts = sectionStarts(flow);
  const order = sectionOrder(flow, starts);
  const hashes = order.flatMap((node) => (node.kind === "call" ? [] : node.valueHash));
  const reader = new RecordReader(backend);
  const values = await reader.values(hashes);
  const calls = callsOf(flow);
  const tasks = await reader.tasks(calls.map(({ taskHash }) => taskHash));
  const parameters = (call: CallNodeRow): string[] => {
    const names = tasks.get(call.taskHash)?.parameters ?? [];
    return sortedArguments(call).map(({ position, key }) => key ?? names[position!] ?? `arg${position}`);
  };
  const names = variableNames(order, root, parameters);
  return order.map((start) => {
    const path = sectionPath(flow, start, starts);
    const args = path.variables.map((node): Argument => {
      const valueHash = (node as { valueHash: string }).valueHash;
      return { name: names.get(node.key)!, hash: valueHash, display: displayStored(values.get(valueHash)) };
    });
    const last = path.steps.length - 1;
    const targets = path.steps.map((step, i): Target => {
      if (typeof step === "string") return { prefix: "", display: step, call: undefined };
      if (starts.has(step.key)) return { prefix: "", display: names.get(step.key)!, call: undefined };
      const { call } = step as { call: CallNodeRow };
      // The call that did the work is followed by its arguments, so it shows their names.
      const shown = i === last && path.call ? args.map(({ name }) => name) : parameters(call);
      const prefix = step.kind === "argument" ? "argument of" : "";
      return { prefix, display: `${call.taskName}(${shown.join(", ")})`, call };
    });
    return { name: names.get(start.key)!, assign: targets[0]!, routing: targets.slice(1), args };
  });
}

function callsOf({ root, sources }: Dataflow): CallNodeRow[] {
  const nodes = [root, ...[...sources.values()].flat()];
  return nodes.flatMap((node) => (node.kind === "value" ? [] : node.call));
}

/** Nodes that are variables: arguments, parts of a derived value, and what several others use. */
function sectionStarts({ root, sources }: Dataflow): Map<string, DataflowNode> {
  const starts = new Map([[root.key, root]]);
  const users = new Map<string, number>();
  const byKey = new Map([[root.key, root]]);
  for (const next of sources.values()) for (const node of next) byKey.set(node.key, node);
  for (const [key, next] of sources) {
    const from = byKey.get(key)!;
    for (const node of next) {
      if (!sources.has(node.key)) continue;
      const count = (users.get(node.key) ?? 0) + 1;
      users.set(node.key, count);
      const isVariable = from.kind === "call" || next.length > 1 || count > 1;
      if (isVariable && node.kind !== "call") starts.set(node.key, node);
    }
  }
  return starts;
}

interface Path {
  /** Nodes, or text where there is none. */
  readonly steps: readonly (DataflowNode | string)[];
  /** What the section's last line depends on. */
  readonly variables: readonly DataflowNode[];
  /** Whether the last step is a call whose arguments the variables are. */
  readonly call: boolean;
}

/** Follows the data from a variable until other variables take over. */
function sectionPath(
  { sources }: Dataflow,
  start: DataflowNode,
  starts: ReadonlyMap<string, DataflowNode>,
): Path {
  const steps: (DataflowNode | string)[] = start.kind === "result" ? [start] : [];
  // A start that is a call's result is shown as that call, not as the variable that it is.
  const shownStart = start.kind === "result" ? { ...start, key: `shown ${start.key}` } : start;
  if (steps.length > 0) steps[0] = shownStart;
  let node = start;
  for (;;) {
    const next = (sources.get(node.key) ?? []).filter(({ key }) => sources.has(key));
    const [only] = next;
    if (node.kind === "call") {
      if (only === undefined) steps.push("origin");
      return { steps, variables: next, call: only !== undefined };
    }
    if (only === undefined) {
      steps.push("origin");
      return { steps, variables: [], call: false };
    }
    if (next.length > 1) {
      steps.push("derives from");
      return { steps, variables: [...next].reverse(), call: false };
    }
    if (only.kind !== "call") steps.push(only);
    if (starts.has(only.key)) return { steps, variables: [], call: false };
    node = only;
  }
}

/** Each variable's section comes before those of the variables that it came from. */
function sectionOrder(flow: Dataflow, starts: ReadonlyMap<string, DataflowNode>): DataflowNode[] {
  const done = new Set<string>();
  const finished: DataflowNode[] = [];
  const stack: { node: DataflowNode; next: DataflowNode[] }[] = [];
  const enter = (node: DataflowNode): void => {
    done.add(node.key);
    const { steps, variables } = sectionPath(flow, node, starts);
    const referred = steps.filter(
      (step): step is DataflowNode => typeof step !== "string" && starts.has(step.key),
    );
    stack.push({ node, next: [...referred, ...variables] });
  };
  enter(flow.root);
  while (stack.length > 0) {
    const top = stack[stack.length - 1]!;
    const node = top.next.pop();
    if (node === undefined) {
      finished.push(top.node);
      stack.pop();
    } else if (!done.has(node.key)) enter(node);
  }
  return finished.reverse();
}

function variableNames(
  order: readonly DataflowNode[],
  root: DataflowRoot,
  parameters: (call: CallNodeRow) => string[],
): Map<string, string> {
  const taken = new Set<string>();
  const names = new Map<string, string>();
  for (const [i, node] of order.entries()) {
    let wanted = root.kind === "CallNode" ? "result" : "value";
    if (i > 0 && node.kind === "argument") {
      const index = sortedArguments(node.call).findIndex(({ argHash }) => argHash === node.argument.argHash);
      wanted = parameters(node.call)[index] ?? "arg";
    } else if (i > 0 && node.kind === "result") {
      wanted = `${node.call.taskName.slice(node.call.taskName.lastIndexOf(".") + 1)}_result`;
    }
    names.set(node.key, unique(wanted, taken));
  }
  return names;
}

function unique(wanted: string, taken: Set<string>): string {
  let name = wanted;
  const base = wanted.replace(/_\d+$/, "");
  for (let n = 2; taken.has(name); n++) name = `${base}_${n}`;
  taken.add(name);
  return name;
}
