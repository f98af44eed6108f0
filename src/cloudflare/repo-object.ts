import type { DurableObjectState, WebSocket as Socket } from "@cloudflare/workers-types";
import { hasCode } from "../errors/redun-error.ts";
import type { FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { HttpFileSystem } from "../file-systems/http.ts";
import { noRepo, UNKNOWN_REPO } from "../server/auth.ts";
import { Directory } from "../server/directory.ts";
import { errorResponse } from "../server/error-answer.ts";
import { d1Sql } from "./d1-sql.ts";
import { logFault } from "./log.ts";
import { allowedFetch } from "./network.ts";
import { FILE_SCHEMES, filesOf, openRepository, type Repository, removeObjects } from "./repository.ts";
import { ScopedFileSystem } from "./scoped-files.ts";
import { readSettings, type WorkerEnv } from "./settings.ts";

/** Milliseconds between alarms while executions wait or are at work. */
const AWAKE = 10_000;
/** Milliseconds until the next alarm where only the directory is to be told something, or opening has failed. */
const RETRY = 30_000;

/** Where the Worker asks an object to remove all that it has. No request from outside has such an address. */
export const REMOVE = "https://repository/remove";

const scopedFiles = new ScopedFileSystem("r2", FILE_SCHEMES);
registerFileSystem(scopedFiles);

/**
 * The Durable Object of one repository, addressed by `idFromName` with the repository's name. It holds the store, the
 * scheduler of its executions and the sockets of those who watch them; user code runs elsewhere.
 *
 * While executions wait or are at work an alarm is always set. It keeps the object awake, gives it new computing time, and
 * wakes it after an eviction, a crash or a deploy; then {@link openRepository} goes on with what had not ended. An alarm
 * may come twice, late, or when there is nothing left to do.
 */
export class RepoObject {
  readonly #ctx: DurableObjectState;
  readonly #env: WorkerEnv;
  readonly #name: string;
  readonly #files: FileSystem;
  #repository: Repository | undefined;
  #failure: unknown;
  #isAlarmSet = false;
  #removal: Promise<void> | undefined;

  constructor(ctx: DurableObjectState, env: WorkerEnv) {
    this.#ctx = ctx;
    this.#env = env;
    const { name } = ctx.id;
    if (name === undefined) throw new Error("Cannot open a repository: get its object by idFromName(NAME)");
    this.#name = name;
    this.#files = filesOf(env, name);
    void this.#open();
  }

  async fetch(request: Request): Promise<Response> {
    try {
      if (request.url.startsWith(REMOVE)) {
        await this.#remove(new URL(request.url).searchParams.get("force") === "true");
        return new Response(null, { status: 204 });
      }
      const { app } = await this.#opened();
      const response = await this.#enter(() => app.fetch(request));
      // The runtime takes what was sent and not read for a fault of the Worker.
      if (!request.bodyUsed) await request.body?.pipeTo(new WritableStream()).catch(() => {});
      return response;
    } catch (error) {
      return errorResponse(error);
    }
  }

  async alarm(): Promise<void> {
    this.#isAlarmSet = false;
    try {
      const { index, host, sockets } = await this.#opened();
      // Set before anything is tried, so that whatever happens there is a next one.
      if (host.isBusy) this.#setAlarm(AWAKE);
      else if (index.isBehind) this.#setAlarm(RETRY);
      await index.flush();
      await sockets.closeRefused();
    } catch (error) {
      if (hasCode(error, UNKNOWN_REPO)) return;
      // It was logged where it failed. An alarm that fails too often would not be tried again.
      this.#setAlarm(RETRY);
    }
  }

  async webSocketMessage(socket: Socket, message: string | ArrayBuffer): Promise<void> {
    (await this.#opened()).sockets.hear(socket, message);
  }

  webSocketClose(socket: Socket, code: number): void {
    try {
      // Codes of this range stand for connections that broke off, and can't be sent.
      socket.close(code >= 1004 && code <= 1006 ? 1000 : code);
    } catch {
      // It is closed.
    }
  }

  /** Opens the repository, while nothing else happens in this object. What fails is tried again at the next event. */
  #open(): Promise<void> {
    return this.#ctx.blockConcurrencyWhile(async () => {
      if (this.#repository !== undefined) return;
      try {
        await this.#checkListed();
        const { allowNetwork } = readSettings(this.#env);
        registerFileSystem(new HttpFileSystem({ fetch: allowedFetch(allowNetwork) }));
        const repository = await this.#enter(() =>
          openRepository({
            ...{ ctx: this.#ctx, env: this.#env, name: this.#name, files: this.#files },
            onRun: () => this.#setAlarm(AWAKE),
          }),
        );
        this.#repository = repository;
        repository.sockets.tellAll();
      } catch (error) {
        this.#failure = error;
        if (!hasCode(error, UNKNOWN_REPO))
          logFault("Cannot open the repository", error, { repo: this.#name });
      }
    });
  }

  /** The Worker may not know yet that a repository was removed, and what is empty must stay so then. */
  async #checkListed(): Promise<void> {
    const { sql } = this.#ctx.storage;
    if (sql.exec("SELECT 1 FROM sqlite_master LIMIT 1").toArray().length > 0) return;
    if (!(await this.#directory().lists(this.#name))) throw noRepo(this.#name);
  }

  #directory(): Directory {
    return new Directory(d1Sql(this.#env.DB));
  }

  /** Removes all that there is of the repository. What breaks off is done when it is asked for again. */
  #remove(force: boolean): Promise<void> {
    this.#removal ??= this.#removeNow(force).finally(() => {
      this.#removal = undefined;
    });
    return this.#removal;
  }

  async #removeNow(force: boolean): Promise<void> {
    const { storage } = this.#ctx;
    await this.#close(force);
    await this.#directory().removeRepo(this.#name);
    for (const socket of this.#ctx.getWebSockets()) socket.close(1001, "The repository was removed");
    await storage.deleteAlarm();
    this.#isAlarmSet = false;
    await storage.deleteAll();
    await removeObjects(this.#env, this.#name);
  }

  /** Ends all for good. One that can't be opened has nothing at work. */
  async #close(force: boolean): Promise<void> {
    if (this.#repository === undefined) await this.#open();
    const repository = this.#repository;
    if (repository === undefined) {
      if (force || hasCode(this.#failure, UNKNOWN_REPO)) return;
      throw this.#failure;
    }
    await repository.host.endAll(force);
    this.#repository = undefined;
    await repository.host.close();
    // Told now or never.
    await repository.index.flush();
  }

  async #opened(): Promise<Repository> {
    if (this.#removal !== undefined) throw noRepo(this.#name);
    if (this.#repository === undefined) await this.#open();
    if (this.#repository === undefined) throw this.#failure;
    return this.#repository;
  }

  #enter<T>(work: () => T): T {
    return scopedFiles.enter(this.#files, work);
  }

  /** Sets an alarm, unless one is set. It is stored together with what was written in the same turn. */
  #setAlarm(delay: number): void {
    if (this.#isAlarmSet) return;
    this.#isAlarmSet = true;
    this.#ctx.storage.setAlarm(Date.now() + delay).catch((error: unknown) => {
      this.#isAlarmSet = false;
      logFault("Cannot set an alarm", error, { repo: this.#name });
    });
  }
}
