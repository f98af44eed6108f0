import { chmodSync, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { SqlDriver } from "../../backends/sql-driver.ts";
import { SqliteBackend } from "../../backends/sqlite-backend.ts";
import { openSqlite } from "../../backends/sqlite-driver.ts";
import { HostedProcessExecutor } from "../../executors/hosted-process-executor.ts";
import { LocalFileSystem } from "../../file-systems/local.ts";
import { localPackages } from "../../package/local-packages.ts";
import { asyncSql } from "../../server/async-sql.ts";
import { noRepo } from "../../server/auth.ts";
import { DEFAULT_REPO, Directory, type IndexedExecution } from "../../server/directory.ts";
import { HostState, type RunSummary } from "../../server/host-state.ts";
import { RepoHost } from "../../server/repo-host.ts";
import { RedunClientError } from "../client-error.ts";
import { type Config, schedulerSettings } from "../config.ts";
import { configContext } from "../context.ts";
import { makeStore } from "../store.ts";
import type { ServerSettings } from "./server-settings.ts";

/** Opens the directory of a server, in the configuration's folder. */
export async function openDirectory(dir: string): Promise<{ directory: Directory; db: SqlDriver }> {
  const path = join(dir, "server.db");
  const db = await openSqlite(path);
  db.exec("PRAGMA journal_mode = WAL");
  keepPrivate(path);
  const directory = new Directory(asyncSql(db));
  await directory.load();
  if (!(await directory.hasRepo(DEFAULT_REPO))) await directory.createRepo(DEFAULT_REPO);
  return { directory, db };
}

/** What the repositories of a server have in common. */
export interface RepositoriesOptions {
  readonly dir: string;
  readonly config: Config;
  readonly settings: ServerSettings;
  readonly directory: Directory;
  readonly maxWorkers?: number | undefined;
  readonly warn: (message: string) => void;
}

/** The repositories of a server on this machine. Each is opened when it is first asked for, and has a folder of its own. */
export class Repositories {
  private readonly options: RepositoriesOptions;
  private readonly open = new Map<string, Promise<OpenRepository>>();
  private readonly removals = new Map<string, Promise<void>>();

  constructor(options: RepositoriesOptions) {
    this.options = options;
  }

  /** Opens all, so that executions go on that had not ended. */
  async openAll(): Promise<void> {
    for (const { name } of await this.options.directory.listRepos()) {
      try {
        await this.host(name);
      } catch (error) {
        if (error instanceof RedunClientError) throw error;
        // The others work all the same; requests for this one say what is wrong, and try again.
        this.options.warn(`Cannot open the repository ${name}: ${String(error)}`);
      }
    }
  }

  /** @param name - of one that the directory lists */
  async host(name: string): Promise<RepoHost> {
    const removal = this.removals.get(name);
    if (removal !== undefined) {
      await removal.catch(() => {});
      // It may not have come about, or there is another of the name by now.
      if (!(await this.options.directory.lists(name))) throw noRepo(name);
    }
    let opening = this.open.get(name);
    if (opening === undefined) {
      opening = openRepository(name, this.options);
      this.open.set(name, opening);
      opening.catch(() => this.open.delete(name));
    }
    return (await opening).host;
  }

  /** Removes one with its folder. @throws ApiError if executions prevent it */
  remove(name: string, force: boolean): Promise<void> {
    let removal = this.removals.get(name);
    if (removal === undefined) {
      removal = this.removeNow(name, force).finally(() => this.removals.delete(name));
      this.removals.set(name, removal);
    }
    return removal;
  }

  private async removeNow(name: string, force: boolean): Promise<void> {
    const opened = await this.open.get(name);
    await opened?.host.endAll(force);
    await this.options.directory.removeRepo(name);
    this.open.delete(name);
    await opened?.host.close();
    opened?.db.close();
    await rm(folderOf(name, this.options), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    for (const opening of this.open.values()) {
      const { host, db } = await opening;
      await host.close();
      db.close();
    }
  }
}

interface OpenRepository {
  readonly host: RepoHost;
  readonly db: SqlDriver;
}

/** Where a repository is. That of `default` is the command's own. */
const folderOf = (name: string, { dir }: RepositoriesOptions): string =>
  name === DEFAULT_REPO ? dir : join(dir, "repos", name);

async function openRepository(name: string, options: RepositoriesOptions): Promise<OpenRepository> {
  const { config, directory, maxWorkers, warn } = options;
  const dir = folderOf(name, options);
  const { maxRunning, maxQueued } = options.settings;
  const settings = schedulerSettings(config);
  const db = await openState(join(dir, "host.db"), name);
  try {
    const backend = name === DEFAULT_REPO ? makeStore(config) : new SqliteBackend(join(dir, "redun.db"));
    const state = new HostState(db);
    const packagePath = localPackages({ source: async (hash) => state.package(hash), dir });
    const executor = new HostedProcessExecutor({ packagePath, maxWorkers });
    const host = new RepoHost({
      backend,
      state,
      executor,
      executorNames: ["process", "worker"],
      uploads: { ...options.settings, files: new LocalFileSystem(), folder: join(dir, "uploads") },
      limits: settings.limits,
      context: configContext(settings),
      maxRunning,
      maxQueued,
      onFault: (error) => warn(`The repository ${name} has a fault: ${String(error)}`),
      onRun: (run) =>
        void directory
          .recordExecution(lineOf(name, run))
          .catch((error) => warn(`Cannot note the execution ${run.id} in the directory: ${String(error)}`)),
    });
    await host.open();
    // A crash may have come between the end of an execution and the directory's hearing of it.
    const runs = state.runs(await directory.unfinished(name));
    await directory.recordExecutions([...runs.values()].map((run) => lineOf(name, run)));
    return { host, db };
  } catch (error) {
    db.close();
    throw error;
  }
}

function lineOf(repo: string, run: RunSummary): IndexedExecution {
  const { id, task, user, status, created } = run;
  return { repo, id, task, user, status, created, ended: run.ended ?? null };
}

/** Takes a database, and what SQLite keeps beside it, from other users of the machine. */
function keepPrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

/** The state is one server's alone: two of them would run the same executions. */
async function openState(path: string, name: string): Promise<SqlDriver> {
  let db: SqlDriver | undefined;
  try {
    db = await openSqlite(path, 500);
    db.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
    db.exec("BEGIN EXCLUSIVE; COMMIT");
    keepPrivate(path);
    return db;
  } catch (cause) {
    db?.close();
    if (!/locked|busy/i.test(String((cause as Error).cause ?? cause))) throw cause;
    throw new RedunClientError(`Cannot open the repository ${name}: another server has ${path} open`, {
      hint: "Stop that server, or use another folder with -c.",
      cause,
    });
  }
}
