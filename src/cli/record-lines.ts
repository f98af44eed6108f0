import type {
  Backend,
  CallNodeRow,
  EntityType,
  ExecutionRow,
  FoundId,
  JobRow,
  TagRow,
  ValueRow,
} from "../backend/backend.ts";
import type { ExecutionStatus, JobStatus, TaskRecord } from "../backend/records.ts";
import { display, trim } from "../value/display.ts";
import { decodeValue } from "../value/value.ts";
import { colors } from "./colors.ts";
import "./value-types.ts";
import { formatTags } from "./tag-text.ts";
import { commandLine, localTime, shortId, statusText } from "./text.ts";

const PAINT: Readonly<Record<string, (text: string) => string>> = {
  DONE: colors.green,
  CACHED: colors.cyan,
  FAILED: colors.red,
  RUNNING: colors.yellow,
};

function paintedStatus(status: JobStatus | ExecutionStatus): string {
  return PAINT[status]!(statusText(status));
}

/** A stored value's display text; one whose type is not known here shows its type. */
export function displayStored(value: ValueRow | undefined, max?: number): string {
  if (value === undefined) return "(unknown value)";
  try {
    return display(decodeValue(value.text), max);
  } catch {
    return trim(`<${value.type} ${value.hash.slice(0, 8)}>`, max);
  }
}

/** Reads records in groups and remembers values, so that a list costs few questions. */
export class RecordReader {
  readonly backend: Backend;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Values by hash. */
  async values(hashes: Iterable<string>): Promise<Map<string, ValueRow>> {
    return byKey([...new Set(hashes)], (part) => this.backend.getValues(part));
  }

  async callNodes(hashes: Iterable<string>): Promise<Map<string, CallNodeRow>> {
    return byKey([...new Set(hashes)], (part) => this.backend.getCallNodes(part));
  }

  async jobs(ids: readonly string[]): Promise<JobRow[]> {
    return [...(await byKey(ids, (part) => this.backend.getJobs(part))).values()];
  }

  async executions(ids: readonly string[]): Promise<ExecutionRow[]> {
    return [...(await byKey(ids, (part) => this.backend.getExecutions(part))).values()];
  }

  async tasks(hashes: readonly string[]): Promise<Map<string, TaskRecord>> {
    return byKey([...new Set(hashes)], (part) => this.backend.getTasks(part));
  }

  /** Tags in parentheses by entity, each with a space before it. */
  async tags(ids: readonly string[]): Promise<(id: string) => string> {
    const byEntity = new Map<string, TagRow[]>();
    for (const part of chunks(ids)) {
      for (const tag of await this.backend.getTags(part)) {
        const list = byEntity.get(tag.entityId);
        if (list === undefined) byEntity.set(tag.entityId, [tag]);
        else list.push(tag);
      }
    }
    return (id) => {
      const tags = byEntity.get(id);
      return tags === undefined ? "" : ` ${colors.dim(formatTags(tags))}`;
    };
  }

  /** The calls of jobs as text, `ns.task(1, key='x')`. */
  async calls(jobs: readonly JobRow[]): Promise<(job: JobRow) => string> {
    const nodes = await this.callNodes(jobs.flatMap(({ callHash }) => callHash ?? []));
    const hashes = [...nodes.values()].flatMap(({ args }) => args.map(({ valueHash }) => valueHash));
    const values = await this.values(hashes);
    return (job) => {
      const node = job.callHash === null ? undefined : nodes.get(job.callHash);
      return node === undefined ? `${job.taskName}(...)` : `${node.taskName}(${argumentsText(node, values)})`;
    };
  }
}

/** Arguments by position, then those by name. */
export function argumentsText({ args }: CallNodeRow, values: ReadonlyMap<string, ValueRow>): string {
  const positional = args
    .filter(({ position }) => position !== null)
    .sort((a, b) => a.position! - b.position!);
  const named = args.filter(({ position }) => position === null).sort((a, b) => (a.key! < b.key! ? -1 : 1));
  return [
    ...positional.map(({ valueHash }) => displayStored(values.get(valueHash))),
    ...named.map(({ key, valueHash }) => `${key}=${displayStored(values.get(valueHash))}`),
  ].join(", ");
}

const CHUNK = 500;

function* chunks<T>(items: readonly T[]): Iterable<readonly T[]> {
  for (let i = 0; i < items.length; i += CHUNK) yield items.slice(i, i + CHUNK);
}

async function byKey<T>(
  keys: readonly string[],
  ask: (keys: readonly string[]) => Promise<(T | undefined)[]>,
): Promise<Map<string, T>> {
  const found = new Map<string, T>();
  for (const part of chunks(keys)) {
    for (const [i, item] of (await ask(part)).entries()) if (item !== undefined) found.set(part[i]!, item);
  }
  return found;
}

export function executionLine(
  { id, status, startTime, args }: ExecutionRow,
  tags: string,
  full = false,
): string {
  const text = commandLine(args) || args.join(" ");
  return `Exec ${full ? id : shortId(id)} ${paintedStatus(status)} ${localTime(startTime)}:  ${text}${tags}`;
}

export function jobLine(job: JobRow, call: string, tags: string, full = false): string {
  return `Job ${full ? job.id : shortId(job.id)} ${paintedStatus(job.status)} ${localTime(job.startTime)}:  ${call}${tags}`;
}

export function fullnameOf({ namespace, name }: TaskRecord): string {
  return namespace === "" ? name : `${namespace}.${name}`;
}

/** One line for each record, in the order given. */
export async function recordLines(
  backend: Backend,
  found: readonly FoundId[],
  asFiles = false,
): Promise<string[]> {
  const lines = new Map<string, string>();
  const reader = new RecordReader(backend);
  const tags = await reader.tags(found.map(({ id }) => id));
  const idsOf = (type: EntityType): string[] =>
    found.filter((record) => record.type === type).map(({ id }) => id);
  for (const row of await reader.executions(idsOf("Execution")))
    lines.set(row.id, executionLine(row, tags(row.id)));
  const jobs = await reader.jobs(idsOf("Job"));
  const calls = await reader.calls(jobs);
  for (const job of jobs) lines.set(job.id, jobLine(job, calls(job), tags(job.id)));
  for (const [hash, node] of await reader.callNodes(idsOf("CallNode"))) {
    lines.set(hash, `CallNode ${hash.slice(0, 8)} ${node.taskName}${tags(hash)}`);
  }
  for (const [hash, task] of await reader.tasks(idsOf("Task"))) {
    lines.set(`Task ${hash}`, `Task ${hash.slice(0, 8)} ${fullnameOf(task)}${tags(hash)}`);
  }
  const values = await reader.values(idsOf("Value"));
  const taskHashes = [...values.values()].filter(({ type }) => type === "redun.Task").map(({ hash }) => hash);
  const tasks = await reader.tasks(taskHashes);
  for (const [hash, value] of values) {
    const task = tasks.get(hash);
    const shown = task === undefined ? displayStored(value) : `Task(${fullnameOf(task)})`;
    const text =
      asFiles && value.file !== null
        ? `File ${hash.slice(0, 8)} ${value.file}`
        : `Value ${hash.slice(0, 8)} ${value.type} ${shown}`;
    lines.set(hash, text + tags(hash));
  }
  return found.flatMap(({ type, id }) => lines.get(type === "Task" ? `Task ${id}` : id) ?? []);
}
