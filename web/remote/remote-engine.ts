import type { RecordJson } from "../../src/backend/backend.ts";
import { commandLine } from "../../src/browser/command-line.ts";
import type {
  BuiltWorkflow,
  Engine,
  EngineEvent,
  EngineInfo,
  LogLine,
  RunOutcome,
  RunRequest,
  StoreQueries,
  WorkflowSource,
} from "../../src/browser/engine-api.ts";
import { RedunError } from "../../src/errors/redun-error.ts";
import type { StoredPackage } from "../../src/package/types.ts";
import type { ExecutionDetail, ExecutionSummary } from "../../src/server/api-types.ts";
import { type RepoClient, ServerError } from "../../src/server/client.ts";
import { RemoteBackend } from "../../src/server/remote-backend.ts";
import type { Json } from "../../src/value/json.ts";
import type { PlaceEngine } from "../state/engine.ts";
import { Follower, type News } from "./follower.ts";
import { outcomeOf } from "./remote-events.ts";

/** What a {@link RemoteEngine} works with. */
export interface RemoteEngineParts {
  /** The engine of this tab, which builds workflows and has the files that the user gave. */
  readonly tab: () => Promise<Engine>;
  /** Is told what fails. */
  readonly guard: <T>(work: () => Promise<T>) => Promise<T>;
}

/** Events of so many executions are followed at once: a browser has few connections with a server. */
const MOST_FOLLOWED = 2;
/** Milliseconds between two looks at what is at work. */
const INTERVAL = 3000;
/** The same while nothing is at work, so that an instance is left to sleep most of the time. */
const IDLE_INTERVAL = 8000;
/** So many of the latest executions are looked at. */
const LOOKED_AT = 50;
/** So many events of an execution that has ended are searched for lines. */
const MOST_EVENTS = 50_000;
const MOST_LINES = 2_000;

/** Events are numbered across all engines, so that those of a later one are later. */
let lastSeq = 0;

/**
 * A repository of a hosted instance, as an engine. Executions run there, and its store answers there. Workflows are built
 * by the engine of this tab, and files are that engine's: the instance offers none of its own.
 */
export class RemoteEngine implements PlaceEngine {
  readonly isHere: boolean = false;
  /** All methods of the store that only read, and those that move records. */
  readonly backend: RemoteBackend;
  private readonly repo: RepoClient;
  private readonly parts: RemoteEngineParts;
  private readonly listeners = new Set<(events: readonly EngineEvent[]) => void>();
  /** By execution, the latest last. */
  private readonly followers = new Map<string, Follower>();

  constructor(repo: RepoClient, parts: RemoteEngineParts) {
    this.repo = repo;
    this.parts = parts;
    this.backend = new RemoteBackend(repo);
  }

  async info(): Promise<EngineInfo> {
    const { items } = await this.parts.guard(() => this.repo.list({ status: "RUNNING", limit: LOOKED_AT }));
    return {
      repo: this.repo.name,
      version: "",
      store: "instance",
      persisted: true,
      usage: undefined,
      quota: undefined,
      workers: 0,
      running: items.map(({ id }) => id),
    };
  }

  async build(source: WorkflowSource): Promise<BuiltWorkflow> {
    return (await this.parts.tab()).build(source);
  }

  async getPackage(hash: string): Promise<StoredPackage | undefined> {
    return (await this.parts.tab()).getPackage(hash);
  }

  /** Sends the package where the instance lacks it, and begins the execution there. */
  async start(request: RunRequest): Promise<void> {
    await this.parts.guard(async () => {
      const pkg = await this.sendPackage(request.package);
      const { executionId, task, args, tags, cache, dryRun, context } = request;
      await this.repo.start({
        id: executionId,
        package: request.package,
        task,
        commandLine: commandLine(pkg, request),
        args: args.map((text) => (text === undefined ? LEFT_OUT : (JSON.parse(text) as Json))),
        options: { ...(cache === undefined ? {} : { cache }), ...(dryRun === undefined ? {} : { dryRun }) },
        ...(tags === undefined ? {} : { tags }),
        ...(context === undefined
          ? {}
          : { context: JSON.parse(context) as { readonly [key: string]: Json } }),
      });
    });
    this.followNow(request.executionId);
  }

  private async sendPackage(hash: string): Promise<StoredPackage> {
    const pkg = await this.getPackage(hash);
    if (pkg === undefined) {
      throw new RedunError("unknown-package", `Cannot send the package ${hash}: it is no longer here`, {
        hint: "Change the source, so that it is built again.",
      });
    }
    if (!(await this.repo.hasPackage(hash))) await this.repo.putPackage(pkg);
    return pkg;
  }

  async outcome(id: string): Promise<RunOutcome | undefined> {
    const detail = await this.detail(id);
    return detail === undefined ? undefined : outcomeOf(detail, this.backend);
  }

  /** An execution as the instance's host knows it. @returns nothing if it was not run there, or is not known */
  private async detail(id: string): Promise<ExecutionDetail | undefined> {
    if (!/^[0-9a-f-]{36}$/.test(id)) return undefined;
    try {
      const detail = await this.parts.guard(() => this.repo.execution(id));
      return detail.package === null ? undefined : detail;
    } catch (error) {
      if (error instanceof ServerError && error.status === 404) return undefined;
      throw error;
    }
  }

  async cancel(id: string): Promise<void> {
    await this.parts.guard(() => this.repo.cancel(id));
  }

  /** Events come as they are told; none are kept. */
  async eventsAfter(): Promise<readonly EngineEvent[]> {
    return [];
  }

  async follow(id: string): Promise<boolean> {
    if (this.followers.has(id)) {
      this.followNow(id);
      return true;
    }
    const detail = await this.detail(id);
    if (detail?.status !== "QUEUED" && detail?.status !== "RUNNING") return false;
    this.followNow(id);
    return true;
  }

  private followNow(id: string): void {
    const follower = this.followers.get(id) ?? new Follower(this.repo, id, (events) => this.tell(events));
    this.followers.delete(id);
    this.followers.set(id, follower);
    void this.parts
      .guard(() => follower.run())
      .then(
        (hasEnded) => {
          if (hasEnded) this.followers.delete(id);
        },
        // A failure was noted; when somebody looks again, it goes on.
        () => {},
      );
    for (const [other, rest] of [...this.followers].slice(0, -MOST_FOLLOWED)) {
      if (other !== id) rest.pause();
    }
  }

  private tell(events: readonly News[]): void {
    const numbered = events.map((event) => ({ ...event, seq: ++lastSeq }) as EngineEvent);
    for (const listener of this.listeners) listener(numbered);
  }

  watch(listener: (atWork: readonly ExecutionSummary[]) => void): () => void {
    let last = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    let interval = INTERVAL;
    const look = async (): Promise<void> => {
      if (!document.hidden) {
        const page = await this.parts
          .guard(() => this.repo.list({ limit: LOOKED_AT }))
          .catch(() => undefined);
        if (isOver) return;
        const items = page?.items ?? [];
        const isIdle = !items.some(({ status }) => status === "QUEUED" || status === "RUNNING");
        interval = isIdle ? IDLE_INTERVAL : INTERVAL;
        const now = JSON.stringify(items.map(({ id, status }) => [id, status]));
        if (page !== undefined && now !== last) {
          last = now;
          listener(items.filter(({ status }) => status === "QUEUED" || status === "RUNNING"));
        }
      }
      if (!isOver) timer = setTimeout(() => void look(), interval);
    };
    void look();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }

  /** The last lines, as far as the instance keeps an execution's events. */
  async log(id: string): Promise<readonly LogLine[]> {
    if ((await this.detail(id)) === undefined) return [];
    const lines: LogLine[] = [];
    const stop = new AbortController();
    try {
      for await (const event of this.repo.events(id, { signal: stop.signal })) {
        if (event.type === "job-log") lines.push({ jobId: event.jobId, line: event.line });
        if (lines.length > 2 * MOST_LINES) lines.splice(0, lines.length - MOST_LINES);
        if (event.type === "execution-end" || event.seq >= MOST_EVENTS) break;
      }
    } finally {
      stop.abort();
    }
    return lines.slice(-MOST_LINES);
  }

  query<M extends keyof StoreQueries>(
    method: M,
    ...args: Parameters<StoreQueries[M]>
  ): Promise<Awaited<ReturnType<StoreQueries[M]>>> {
    const ask = this.backend[method] as (
      ...given: unknown[]
    ) => Promise<Awaited<ReturnType<StoreQueries[M]>>>;
    return this.parts.guard(() => ask.apply(this.backend, args));
  }

  async exportRecords(executionIds?: readonly string[]): Promise<readonly RecordJson[]> {
    return this.query("exportRecords", await this.reachable(executionIds));
  }

  async reachable(executionIds?: readonly string[]): Promise<readonly string[]> {
    return this.parts.guard(async () => {
      const all: string[] = [];
      for await (const ids of this.backend.reachable(executionIds)) for (const id of ids) all.push(id);
      return all;
    });
  }

  importRecords(records: readonly RecordJson[]): Promise<number> {
    return this.parts.guard(() => this.backend.importRecords(records));
  }

  async importDatabase(): Promise<number> {
    throw new RedunError("not-here", "Cannot import a database into an instance", {
      hint: "Import it in this tab, and push it from there.",
    });
  }

  listFiles: Engine["listFiles"] = async (...args) => (await this.parts.tab()).listFiles(...args);
  readFile: Engine["readFile"] = async (...args) => (await this.parts.tab()).readFile(...args);
  addFile: Engine["addFile"] = async (...args) => (await this.parts.tab()).addFile(...args);
  removeFile: Engine["removeFile"] = async (...args) => (await this.parts.tab()).removeFile(...args);
  pick: Engine["pick"] = async (...args) => (await this.parts.tab()).pick(...args);
  picks: Engine["picks"] = async () => (await this.parts.tab()).picks();
  findPicked: Engine["findPicked"] = async (...args) => (await this.parts.tab()).findPicked(...args);
  listPicked: Engine["listPicked"] = async (...args) => (await this.parts.tab()).listPicked(...args);

  onEvents(listener: (events: readonly EngineEvent[]) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  /** It never moves. */
  onMoved(): () => void {
    return () => {};
  }

  async close(): Promise<void> {
    for (const follower of this.followers.values()) follower.pause();
    this.listeners.clear();
  }
}

/** An argument that has its default. */
const LEFT_OUT: Json = { $: ["undefined"] };
