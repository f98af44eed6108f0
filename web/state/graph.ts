/** The call graph of an execution, small enough to be drawn. */
import { plural } from "../lib/format.ts";
import type { Execution, Job, Status } from "./execution.ts";
import { getCallNodes } from "./store.ts";

/** A call, or all calls of a task. */
export interface GraphNode {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly status: Status;
  /** The job to show for it. */
  readonly jobId: string;
}

/** `call`: from caller to callee. `data`: from the call that made a value to the one that took it. */
export interface GraphEdge {
  readonly from: string;
  readonly to: string;
  readonly kind: "call" | "data";
}

/** Nodes and edges. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  /** Whether each node stands for all calls of a task. */
  readonly isByTask: boolean;
}

/** With more jobs than these, a node stands for a task. */
export const MOST_JOBS = 120;

/** Makes the graph of what has happened so far. */
export async function graphOf(execution: Execution): Promise<Graph> {
  const jobs = [...execution.jobs.values()];
  const calls = await getCallNodes(jobs.flatMap(({ callHash }) => callHash ?? []));
  const jobOfCall = new Map(jobs.map((job) => [job.callHash, job]));
  const isByTask = jobs.length > MOST_JOBS;
  const nodeOf = (job: Job): string => (isByTask ? job.task : job.id);
  const edges = new Map<string, GraphEdge>();
  const connect = (from: Job, to: Job, kind: GraphEdge["kind"]): void => {
    const edge = { from: nodeOf(from), to: nodeOf(to), kind };
    if (edge.from !== edge.to) edges.set(`${edge.from} ${edge.to} ${kind}`, edge);
  };
  for (const job of jobs) {
    const parent = job.parentId === null ? undefined : execution.jobs.get(job.parentId);
    if (parent !== undefined) connect(parent, job, "call");
    for (const { upstream } of calls.get(job.callHash ?? "")?.args ?? []) {
      for (const hash of upstream) {
        const source = jobOfCall.get(hash);
        if (source !== undefined) connect(source, job, "data");
      }
    }
  }
  const nodes = isByTask ? taskNodes(jobs) : jobs.map(jobNode);
  return { nodes, edges: [...edges.values()], isByTask };
}

function jobNode({ id, task, call, status }: Job): GraphNode {
  const args = call?.startsWith(task) ? call.slice(task.length) : "";
  return { id, title: task, subtitle: args, status, jobId: id };
}

/** The worst status stands for all. */
const ORDER: readonly Status[] = [
  "FAILED",
  "CANCELLED",
  "INTERRUPTED",
  "RUNNING",
  "PENDING",
  "DONE",
  "DRYRUN",
  "CACHED",
];

function taskNodes(jobs: readonly Job[]): GraphNode[] {
  const byTask = new Map<string, Job[]>();
  for (const job of jobs) {
    const list = byTask.get(job.task);
    if (list === undefined) byTask.set(job.task, [job]);
    else list.push(job);
  }
  return [...byTask].map(([task, list]) => {
    const status = ORDER.find((each) => list.some((job) => job.status === each)) ?? "DONE";
    const shown = list.find((job) => job.status === status)!;
    const cached = list.filter((job) => job.status === "CACHED").length;
    return {
      id: task,
      title: task,
      subtitle: `${plural(list.length, "job")}${cached > 0 ? `, ${cached} cached` : ""}`,
      status,
      jobId: shown.id,
    };
  });
}
