import type { Backend, CallNodeRow, FoundId, JobRow, ValueRow } from "../backend/backend.ts";
import { newestJobOf } from "../backend/dataflow.ts";
import type { JobStatus } from "../backend/records.ts";
import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import type { JobCounts } from "../scheduler/events.ts";
import { ErrorValue, formatTraceback } from "../scheduler/traceback.ts";
import { dedent } from "../util/dedent.ts";
import { display } from "../value/display.ts";
import { decodeValue } from "../value/value.ts";
import { colors } from "./colors.ts";
import { dataflowText } from "./dataflow-text.ts";
import type { FoundFile } from "./find-record.ts";
import type { Output } from "./output.ts";
import {
  argumentsText,
  displayStored,
  executionLine,
  fullnameOf,
  jobLine,
  RecordReader,
} from "./record-lines.ts";
import { statusTable } from "./status-table.ts";
import { formatTagValue } from "./tag-text.ts";
import { duration, indent, shortId } from "./text.ts";

/** Longest text of a value in a detail. */
const DETAIL = 2000;
const RULE = "-".repeat(80);
/** Deeper jobs are not indented further, so that a long recursion stays readable. */
const DEEPEST = 40;

/** Shows all that is known of a record. */
export async function showRecord(backend: Backend, output: Output, { type, id }: FoundId): Promise<void> {
  switch (type) {
    case "Execution":
      return showExecution(backend, output, id);
    case "Job":
      return showJob(backend, output, id);
    case "CallNode":
      return showCallNodeAndTask(backend, output, id);
    case "Task":
      return showTask(backend, output, id);
    case "Value":
      return showValue(backend, output, id);
  }
}

async function showExecution(backend: Backend, output: Output, id: string): Promise<void> {
  const reader = new RecordReader(backend);
  const [execution] = await reader.executions([id]);
  if (execution === undefined) return;
  const tags = await reader.tags([id]);
  output.print(executionLine(execution, tags(id), true));
  const { startTime, endTime } = execution;
  if (startTime !== null && endTime !== null) output.print(`Duration: ${duration(endTime - startTime)}`);
  for (const tag of await backend.getTags([id])) {
    if (tag.key === "doc")
      output.print(`Doc: ${typeof tag.value === "string" ? tag.value : formatTagValue(tag.value)}`);
  }
  const found = await backend.find({ type: "Job", executionIds: [id] });
  const jobs = await reader.jobs(found.map((record) => record.id));
  const counts = countJobs(jobs);
  output.print("");
  for (const line of statusTable(counts, endTime ?? Date.now()).slice(1, -1)) output.print(line);
  const number = (status: JobStatus): number => jobs.filter((job) => job.status === status).length;
  const running = number("RUNNING");
  const parts = [`DONE: ${number("DONE")}`, `CACHED: ${number("CACHED")}`, `FAILED: ${number("FAILED")}`];
  if (running > 0) parts.unshift(`RUNNING: ${running}`);
  output.print(`\nJobs: ${jobs.length} (${parts.join(", ")})`);
  output.print(RULE);
  await showTree(reader, output, jobs);
}

function countJobs(jobs: readonly JobRow[]): Map<string, JobCounts> {
  const counts = new Map<string, Record<keyof JobCounts, number>>();
  for (const { taskName, status } of jobs) {
    const row = counts.get(taskName) ?? { PENDING: 0, RUNNING: 0, FAILED: 0, CACHED: 0, DONE: 0 };
    row[status]++;
    counts.set(taskName, row);
  }
  return counts;
}

async function showTree(reader: RecordReader, output: Output, jobs: readonly JobRow[]): Promise<void> {
  const children = new Map<string | null, JobRow[]>();
  const known = new Set(jobs.map(({ id }) => id));
  // The store gives the newest first, those of one millisecond too, and a stack turns them round.
  for (const job of jobs) {
    const parent = job.parentId !== null && known.has(job.parentId) ? job.parentId : null;
    const list = children.get(parent);
    if (list === undefined) children.set(parent, [job]);
    else list.push(job);
  }
  const ordered: { job: JobRow; depth: number }[] = [];
  const stack = (children.get(null) ?? []).map((job) => ({ job, depth: 0 }));
  for (let entry = stack.pop(); entry !== undefined; entry = stack.pop()) {
    ordered.push(entry);
    for (const job of children.get(entry.job.id) ?? []) stack.push({ job, depth: entry.depth + 1 });
  }
  for (let i = 0; i < ordered.length; i += 500) {
    const part = ordered.slice(i, i + 500);
    const calls = await reader.calls(part.map(({ job }) => job));
    const tags = await reader.tags(part.map(({ job }) => job.id));
    output.print(
      part
        .map(
          ({ job, depth }) => "  ".repeat(Math.min(depth, DEEPEST)) + jobLine(job, calls(job), tags(job.id)),
        )
        .join("\n"),
    );
  }
}

async function showJob(backend: Backend, output: Output, id: string): Promise<void> {
  const reader = new RecordReader(backend);
  const [job] = await reader.jobs([id]);
  if (job === undefined) return;
  const calls = await reader.calls([job]);
  const tags = await reader.tags([id]);
  output.print(jobLine(job, calls(job), tags(id), true));
  output.print(`Traceback: ${await jobPath(backend, job)}`);
  if (job.status === "DONE" && job.endTime !== null)
    output.print(`Duration: ${duration(job.endTime - job.startTime)}`);
  output.print("");
  if (job.callHash === null) {
    output.print(`CallNode UNKNOWN ${job.taskName}`);
    output.print(
      job.status === "RUNNING" ? "  The job has not ended." : "  The job ended without a record of its call.",
    );
    output.print("");
    return showTask(backend, output, job.taskHash);
  }
  await showCallNodeAndTask(backend, output, job.callHash);
}

/** The way from the execution to the job, with the middle left out. */
async function jobPath(backend: Backend, job: JobRow): Promise<string> {
  const ancestors: JobRow[] = [];
  for (let at: JobRow | undefined = job; at?.parentId != null; ) {
    const [parent]: (JobRow | undefined)[] = await backend.getJobs([at.parentId]);
    if (parent !== undefined) ancestors.unshift(parent);
    at = parent;
  }
  const name = ({ id, taskName }: JobRow): string => `Job ${shortId(id)} ${taskName}`;
  const parent = ancestors.pop();
  const left = ancestors.length;
  return [
    `Exec ${shortId(job.executionId)}`,
    ...(left === 0 ? [] : [`(${left} Job${left === 1 ? "" : "s"})`]),
    ...(parent === undefined ? [] : [name(parent)]),
    name(job),
  ].join(" > ");
}

async function showCallNodeAndTask(backend: Backend, output: Output, callHash: string): Promise<void> {
  const [call] = await backend.getCallNodes([callHash]);
  if (call === undefined) return output.print(`CallNode ${callHash} is not recorded`);
  const reader = new RecordReader(backend);
  const values = await reader.values([call.valueHash, ...call.args.map(({ valueHash }) => valueHash)]);
  const result = values.get(call.valueHash);
  const tags = await reader.tags([callHash]);
  output.print(`CallNode ${callHash} ${call.taskName}${tags(callHash)}`);
  output.print(`  Args:   ${argumentsText(call, values)}`);
  const failure = result?.type === ERROR_VALUE_TYPE ? errorOf(result) : undefined;
  if (result?.type === ERROR_VALUE_TYPE) {
    output.print(
      `  Raised: ${failure === undefined ? displayStored(result, DETAIL) : display(failure.error, DETAIL)}`,
    );
  } else output.print(`  Result: ${displayStored(result, DETAIL)}`);
  output.print("");
  await showTask(backend, output, call.taskHash);
  await showDataflow(backend, output, call);
  if (failure !== undefined) {
    output.print("\nTraceback (most recent task last):");
    output.print(formatTraceback(failure.traceback));
  }
}

async function showDataflow(backend: Backend, output: Output, call: CallNodeRow): Promise<void> {
  const text = await dataflowText(backend, { kind: "CallNode", call });
  if (text === "") return;
  output.print("\n  Upstream dataflow:\n");
  output.print(indent(text, "    "));
}

function errorOf(value: ValueRow): ErrorValue | undefined {
  try {
    const decoded = decodeValue(value.text);
    return decoded instanceof ErrorValue ? decoded : undefined;
  } catch {
    // The error's class is not known here.
    return undefined;
  }
}

async function showTask(backend: Backend, output: Output, hash: string): Promise<void> {
  const [task] = await backend.getTasks([hash]);
  if (task === undefined) return output.print(`Task ${hash} is not recorded`);
  const tags = await new RecordReader(backend).tags([hash]);
  output.print(`Task ${hash} ${fullnameOf(task)}${tags(hash)}`);
  if (task.doc) output.print(indent(task.doc, "  "));
  output.print(`\n${indent(colors.dim(dedent(task.source)), "    ")}`);
}

async function showValue(backend: Backend, output: Output, hash: string): Promise<void> {
  const [value] = await backend.getValues([hash]);
  if (value === undefined) return;
  const tags = await new RecordReader(backend).tags([hash]);
  const head = value.file === null ? `Value ${hash} ${value.type}` : `File ${hash} ${value.file}`;
  output.print(head + tags(hash));
  if (value.file === null) output.print(`\n${indent(displayStored(value, DETAIL), "  ")}`);
  if (value.subvalues.length > 0)
    output.print(`\n  holds ${value.subvalues.map((sub) => sub.slice(0, 8)).join(", ")}`);
  const produced = await newestJobOf(backend, await backend.callsOfValue(hash, "result"));
  const consumed = await newestJobOf(backend, await backend.callsOfValue(hash, "argument"));
  const role = produced === undefined ? "Consumed" : "Produced";
  const job = produced ?? consumed;
  if (job !== undefined) {
    output.print(`\n${role} by Job ${shortId(job.id)}\n`);
    await showJob(backend, output, job.id);
  } else {
    const text = await dataflowText(backend, { kind: "Value", value });
    if (text !== "") output.print(`\n  Upstream dataflow:\n\n${indent(text, "    ")}`);
  }
}

/** Shows a file, the job that made or read it, and that job's detail. */
export async function showFile(backend: Backend, output: Output, file: FoundFile): Promise<void> {
  output.print(`File ${file.valueHash.slice(0, 8)} ${file.path}`);
  if (file.jobId === undefined) return;
  output.print(`${file.role === "result" ? "Produced" : "Consumed"} by Job ${shortId(file.jobId)}\n`);
  await showJob(backend, output, file.jobId);
}
