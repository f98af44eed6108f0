import type { Backend, ExecutionRow, JobRow, ValueRow } from "../backend/backend.ts";
import { ErrorValue } from "../scheduler/traceback.ts";
import { display } from "../value/display.ts";
import type { Json } from "../value/json.ts";
import { decodeValue } from "../value/value.ts";
import type {
  ExecutionDetail,
  ExecutionSummary,
  ExecutionViewStatus,
  JobSummary,
  ValueView,
} from "./api-types.ts";
import type { HostedRun } from "./execution-types.ts";
import type { RunSummary } from "./host-state.ts";
import type { RepoHost } from "./repo-host.ts";

/** Longer encodings are not part of an answer. */
const LONGEST_VALUE = 1_000_000;
const LONGEST_PREVIEW = 1_000;
/** Jobs that come with an execution. */
const MOST_JOBS = 1_000;

export function jobSummary({ taskName, ...job }: JobRow): JobSummary {
  const { id, executionId, parentId, taskHash, status, startTime, endTime, cached, callHash } = job;
  return {
    id,
    executionId,
    parentId,
    task: taskName,
    taskHash,
    status,
    startTime,
    endTime,
    cached,
    callHash,
  };
}

/** @param longest - characters of an encoding that is part of the view */
export function valueView(
  { hash, type, format, text, file, subvalues }: ValueRow,
  longest: number = LONGEST_VALUE,
): ValueView {
  let value: Json = null;
  let preview = `${type} (${text.length} characters)`;
  try {
    if (text.length <= LONGEST_VALUE) {
      const json = JSON.parse(text) as Json;
      if (text.length <= longest && !isDeep(text)) value = json;
      preview = display(decodeValue(text), LONGEST_PREVIEW);
    }
  } catch {
    // It is none of this engine's encodings, or of a type that is not known here.
  }
  return { hash, type, format, size: text.length, value, preview, file, subvalues };
}

/** Deeper JSON is not part of an answer, since what writes and reads JSON may not bear it. */
const DEEPEST = 500;

/** @param json - must be JSON; of other text, the search for the ends of strings could take very long */
function isDeep(json: string): boolean {
  let depth = 0;
  for (const [mark] of json.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/g)) {
    if (mark === "[" || mark === "{") depth++;
    else if (mark === "]" || mark === "}") depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** Executions as lists show them, those that only wait included. Unknown ids are left out. */
export async function executionSummaries(
  host: RepoHost,
  ids: readonly string[],
): Promise<ExecutionSummary[]> {
  const { backend, state } = host;
  const [rows, runs, tags] = [await backend.getExecutions(ids), state.runs(ids), await backend.getTags(ids)];
  const jobs = await backend.getJobs(rows.map((row) => row?.jobId ?? ""));
  return ids.flatMap((id, i) => {
    const own = tags.filter(({ entityId }) => entityId === id).map(({ key, value }) => ({ key, value }));
    const summary = summaryOf(id, rows[i], jobs[i], runs.get(id), own);
    return summary === undefined ? [] : [summary];
  });
}

function summaryOf(
  id: string,
  row: ExecutionRow | undefined,
  job: JobRow | undefined,
  run: RunSummary | undefined,
  tags: ExecutionSummary["tags"],
): ExecutionSummary | undefined {
  if (row === undefined && run === undefined) return undefined;
  return {
    id,
    status: run?.status ?? storedStatus(row!, tags),
    task: run?.task ?? job?.taskName ?? null,
    args: run?.commandLine ?? row!.args,
    user: run?.user ?? null,
    package: run?.package ?? null,
    startTime: run?.started ?? row?.startTime ?? null,
    endTime: run === undefined ? (row?.endTime ?? null) : (run.ended ?? null),
    resumedAs: run === undefined || run.current === id ? null : run.current,
    tags: tags.length > 0 || run === undefined ? tags : run.tags.map(([key, value]) => ({ key, value })),
  };
}

function storedStatus(row: ExecutionRow, tags: ExecutionSummary["tags"]): ExecutionViewStatus {
  const told = tags.find(({ key }) => key === "redun.status")?.value;
  if (told === "cancelled") return "CANCELLED";
  if (told === "interrupted") return "INTERRUPTED";
  return row.status;
}

/** An execution with its jobs and its result or error. */
export async function executionDetail(host: RepoHost, id: string): Promise<ExecutionDetail | undefined> {
  const [summary] = await executionSummaries(host, [id]);
  if (summary === undefined) return undefined;
  const { backend, state } = host;
  const run = state.run(id);
  // An interrupted execution's jobs are those of the one that goes on in its place.
  const recordedId = run?.current ?? id;
  const [row] = await backend.getExecutions([recordedId]);
  const query = { type: "Job", executionIds: [recordedId] } as const;
  const found = await backend.find({ ...query, limit: MOST_JOBS });
  const jobs = (await backend.getJobs(found.map((job) => job.id))).filter((job) => job !== undefined);
  const root = row?.jobId ? (await backend.getJobs([row.jobId]))[0] : undefined;
  if (root !== undefined && !jobs.some((job) => job.id === root.id)) jobs.push(root);
  jobs.sort((a, b) => a.startTime - b.startTime || (a.id < b.id ? -1 : 1));
  return {
    ...summary,
    rootJobId: root?.id ?? null,
    jobs: jobs.map(jobSummary),
    jobCount: found.length < MOST_JOBS ? jobs.length : await backend.count(query),
    ...(await endOf(backend, run, root)),
  };
}

type End = Pick<ExecutionDetail, "result" | "error">;

async function endOf(backend: Backend, run: HostedRun | undefined, root: JobRow | undefined): Promise<End> {
  const outcome = run?.outcome;
  if (outcome !== undefined && outcome.status !== "DONE") {
    const { error, traceback } = outcome;
    const told = {
      name: error.name,
      message: error.message,
      traceback: (traceback ?? null) as unknown as Json,
    };
    return { result: null, error: told };
  }
  const hash = outcome?.valueHash ?? (await resultHash(backend, root));
  const [value] = hash === undefined ? [] : await backend.getValues([hash]);
  if (value === undefined) return { result: null, error: null };
  const view = valueView(value);
  if (root?.status !== "FAILED") return { result: view, error: null };
  const stored = decodeValue(value.text);
  if (!(stored instanceof ErrorValue)) return { result: null, error: null };
  const { name, message } = stored.error as Error;
  return { result: null, error: { name, message, traceback: (stored.traceback ?? null) as unknown as Json } };
}

async function resultHash(backend: Backend, root: JobRow | undefined): Promise<string | undefined> {
  if (root?.callHash == null) return undefined;
  return (await backend.getCallNodes([root.callHash]))[0]?.valueHash;
}
