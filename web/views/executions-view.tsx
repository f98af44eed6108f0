/** All executions, the newest first. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { ExecutionRow, RecordQuery, TagRow } from "../../src/backend/backend.ts";
import type { ExecutionStatus } from "../../src/backend/records.ts";
import type { ExecutionSummary } from "../../src/server/api-types.ts";
import { Empty, Loaded, StatusBadge } from "../components/basics.tsx";
import { lazy } from "../components/lazy.tsx";
import { TagList } from "../components/tag-list.tsx";
import { dateTime, duration, plural, shortId } from "../lib/format.ts";
import { parseTag } from "../lib/tags.ts";
import { getEngine } from "../state/engine.ts";
import { executionChanges, noteChanges, runningExecutions } from "../state/live.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate, place } from "../state/router.ts";
import { query as ask, getExecutions, getJobs, getTags } from "../state/store.ts";
import { statusOf } from "../state/stored.ts";

const CopyPanel = lazy<{ ids?: readonly string[] | undefined }>(
  async () => (await import("../remote/copy-panel.tsx")).CopyPanel,
);

const PAGE = 50;
const STATUSES: readonly ExecutionStatus[] = ["RUNNING", "DONE", "FAILED"];

interface Page {
  readonly rows: readonly ExecutionRow[];
  readonly tags: ReadonlyMap<string, readonly TagRow[]>;
  readonly total: number;
}

/** The list, as its address filters it. */
export function ExecutionsView({ query }: { query: URLSearchParams }): JSX.Element {
  const page = Math.max(1, Number(query.get("page") ?? 1) || 1);
  const filters = {
    task: query.get("task") ?? "",
    status: query.get("status") ?? "",
    tag: query.get("tag") ?? "",
  };
  const resource = useResource(
    `${JSON.stringify(filters)} ${page} ${executionChanges.value}`,
    () => readPage(filters, page),
    {
      keep: true,
    },
  );
  const change = (changes: Partial<typeof filters>): void =>
    navigate(address(["executions"], { ...filters, ...changes }), { replace: true });
  return (
    <div class="page">
      <div class="page-head">
        <h1>Executions</h1>
        <Filters key={JSON.stringify(filters)} filters={filters} onChange={change} />
      </div>
      <Running />
      <Loaded resource={resource}>
        {(found) => <ExecutionTable found={found} page={page} filters={filters} />}
      </Loaded>
    </div>
  );
}

/** What is at work, as its events tell, or as an instance does of all that its team runs. */
function Running(): JSX.Element | null {
  void executionChanges.value;
  const others = useAtWork();
  const own = runningExecutions().map(({ id, args }) => ({ id, args, status: "RUNNING", user: null }));
  const running = others ?? own;
  if (running.length === 0) return null;
  return (
    <section class="notice" aria-label="Running">
      {running.map(({ id, args, status, user }) => (
        <p key={id}>
          <StatusBadge status={status === "QUEUED" ? "PENDING" : "RUNNING"} />{" "}
          <a class="mono" href={address(["executions", id])}>
            {commandText(args)}
          </a>
          {user !== null && <span class="muted"> by {user}</span>}
        </p>
      ))}
    </section>
  );
}

/** What is at work on an instance. @returns nothing for an engine whose events tell it */
function useAtWork(): readonly ExecutionSummary[] | undefined {
  const [atWork, setAtWork] = useState<readonly ExecutionSummary[] | undefined>(undefined);
  useEffect(() => {
    let stop: (() => void) | undefined;
    let isOver = false;
    void getEngine().then(
      (engine) => {
        if (isOver) return;
        stop = engine.watch?.((list) => {
          setAtWork(list);
          noteChanges();
        });
      },
      () => {},
    );
    return () => {
      isOver = true;
      stop?.();
    };
  }, []);
  return atWork;
}

interface FilterTexts {
  readonly task: string;
  readonly status: string;
  readonly tag: string;
}

function Filters({
  filters,
  onChange,
}: {
  filters: FilterTexts;
  onChange: (changes: Partial<FilterTexts>) => void;
}): JSX.Element {
  return (
    <search class="filters">
      <label class="field-inline">
        <span>Task</span>
        <input
          type="search"
          placeholder="namespace.name"
          defaultValue={filters.task}
          onChange={(event) => onChange({ task: event.currentTarget.value.trim() })}
        />
      </label>
      <label class="field-inline">
        <span>Status</span>
        <select value={filters.status} onChange={(event) => onChange({ status: event.currentTarget.value })}>
          <option value="">Any</option>
          {STATUSES.map((status) => (
            <option key={status} value={status}>
              {status[0] + status.slice(1).toLowerCase()}
            </option>
          ))}
        </select>
      </label>
      <label class="field-inline">
        <span>Tag</span>
        <input
          type="search"
          placeholder="key or key=value"
          defaultValue={filters.tag}
          onChange={(event) => onChange({ tag: event.currentTarget.value.trim() })}
        />
      </label>
    </search>
  );
}

async function readPage(filters: FilterTexts, page: number): Promise<Page> {
  const query: RecordQuery = {
    type: "Execution",
    ...(filters.task === "" ? {} : { ids: await executionsOfTask(filters.task) }),
    ...(filters.status === "" ? {} : { executionStatus: [filters.status as ExecutionStatus] }),
    ...(filters.tag === "" ? {} : { tags: [parseTag(filters.tag)] }),
  };
  const [found, total] = await Promise.all([
    ask("find", { ...query, limit: PAGE, offset: (page - 1) * PAGE }),
    ask("count", query),
  ]);
  const ids = found.map(({ id }) => id);
  const [executions, tags] = await Promise.all([getExecutions(ids), getTags(ids)]);
  return { rows: ids.flatMap((id) => executions.get(id) ?? []), tags, total };
}

/** So many of a task's latest jobs are looked at. */
const MOST_JOBS = 5000;

/** Executions in which a task ran or was taken from the cache. The store finds jobs by task, not executions. */
async function executionsOfTask(name: string): Promise<string[]> {
  const found = await ask("find", { type: "Job", taskNames: [name], limit: MOST_JOBS });
  const jobs = await getJobs(found.map(({ id }) => id));
  return [...new Set([...jobs.values()].map(({ executionId }) => executionId))];
}

function ExecutionTable({
  found: { rows, tags, total },
  page,
  filters,
}: {
  found: Page;
  page: number;
  filters: FilterTexts;
}): JSX.Element {
  const [chosen, setChosen] = useState<readonly string[]>([]);
  if (total === 0)
    return (
      <Empty>
        <p>
          {Object.values(filters).some(Boolean)
            ? "No execution fits."
            : place.value.kind === "tab"
              ? "Nothing has run in this browser yet."
              : "Nothing has run in this repository yet."}
        </p>
        <a href={address(["workflow"])}>Open the workflow</a>
      </Empty>
    );
  const tick = (id: string, on: boolean): void =>
    setChosen(on ? [...chosen, id] : chosen.filter((other) => other !== id));
  const [before, after, ...more] = rows
    .map(({ id }) => id)
    .filter((id) => chosen.includes(id))
    .reverse();
  const pages = Math.ceil(total / PAGE);
  return (
    <>
      <div class="table-scroll">
        <table class="table executions">
          <thead>
            <tr>
              <th scope="col">
                <span class="visually-hidden">Choose</span>
              </th>
              <th scope="col">Status</th>
              <th scope="col">Execution</th>
              <th scope="col">Started</th>
              <th scope="col" class="number">
                Took
              </th>
              <th scope="col" class="wide-only">
                Tags
              </th>
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <Row
                key={row.id}
                row={row}
                tags={tags.get(row.id) ?? []}
                isChosen={chosen.includes(row.id)}
                onTick={(on) => tick(row.id, on)}
              />
            ))}
          </tbody>
        </table>
      </div>
      <div class="toolbar list-foot">
        {before !== undefined && after !== undefined && more.length === 0 ? (
          <a class="button" href={address(["compare", before, after])}>
            Compare the two
          </a>
        ) : (
          <span class="hint">Tick two executions to compare them, or some to copy.</span>
        )}
        <span class="spacer" />
        <span class="muted">{plural(total, "execution")}</span>
        {pages > 1 && <Pages page={page} pages={pages} filters={filters} />}
      </div>
      <CopyPanel ids={chosen.length === 0 ? undefined : chosen} />
    </>
  );
}

function Row({
  row,
  tags,
  isChosen,
  onTick,
}: {
  row: ExecutionRow;
  tags: readonly TagRow[];
  isChosen: boolean;
  onTick: (on: boolean) => void;
}): JSX.Element {
  const { id, args, startTime, endTime } = row;
  const ownTags = tags.filter(({ key }) => !USUAL_TAGS.has(key));
  return (
    <tr>
      <td>
        <input
          type="checkbox"
          checked={isChosen}
          aria-label={`Choose execution ${shortId(id)}`}
          onChange={(event) => onTick(event.currentTarget.checked)}
        />
      </td>
      <td>
        <StatusBadge status={statusOf(row, tags)} />
      </td>
      <td class="command">
        <a href={address(["executions", id])} class="mono clamped">
          {commandText(args) || shortId(id)}
        </a>
        <span class="muted mono"> {shortId(id)}</span>
      </td>
      <td class="nowrap when">{dateTime(startTime)}</td>
      <td class="number took">
        {startTime !== null && endTime !== null ? duration(endTime - startTime) : ""}
      </td>
      <td class="wide-only">{ownTags.length > 0 && <TagList tags={ownTags} />}</td>
    </tr>
  );
}

/** The command without the words that all of them have, and without the script where the task's namespace says as much. */
function commandText(args: readonly string[]): string {
  const words = args[0] === "redun" ? args.slice(1) : args;
  if (words[0] !== "run" || !/\.\w+$/.test(words[1] ?? "")) return words.join(" ");
  return words.slice(words[2]?.includes(".") ? 2 : 1).join(" ");
}

/** Tags that the command gives every execution by itself. They are long, and seldom differ from row to row. */
const USUAL_TAGS: ReadonlySet<string> = new Set(["redun.version", "git_commit", "git_origin_url"]);

function Pages({ page, pages, filters }: { page: number; pages: number; filters: FilterTexts }): JSX.Element {
  const link = (to: number, text: string): JSX.Element =>
    to < 1 || to > pages ? (
      <span class="button disabled" aria-disabled="true">
        {text}
      </span>
    ) : (
      <a class="button" href={address(["executions"], { ...filters, page: to === 1 ? undefined : to })}>
        {text}
      </a>
    );
  return (
    <nav class="pages" aria-label="Pages">
      {link(page - 1, "Newer")}
      <span class="muted">
        {page} of {pages}
      </span>
      {link(page + 1, "Older")}
    </nav>
  );
}
