import type { DurableObjectState, WebSocket as Socket } from "@cloudflare/workers-types";
import type { FileSystem } from "../file/file-system.ts";
import { registerFileSystem } from "../file/file-systems.ts";
import { HttpFileSystem } from "../file-systems/http.ts";
import { answerOf } from "../server/api-error.ts";
import { logFault } from "./log.ts";
import { guardedFetch } from "./network.ts";
import { FILE_SCHEMES, filesOf, openRepository, type Repository } from "./repository.ts";
import { ScopedFileSystem } from "./scoped-files.ts";
import { readSettings, type WorkerEnv } from "./settings.ts";

/** Milliseconds between alarms while executions wait or are at work. */
const AWAKE = 10_000;
/** Milliseconds until the next alarm where only the directory is to be told something, or opening has failed. */
const RETRY = 30_000;

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
      const { app } = await this.#opened();
      return await this.#enter(() => app.fetch(request));
    } catch (error) {
      const { status, body } = answerOf(error);
      return Response.json(body, { status });
    }
  }

  async alarm(): Promise<void> {
    this.#isAlarmSet = false;
    try {
      const { index, host } = await this.#opened();
      // Set before anything is tried, so that whatever happens there is a next one.
      if (host.isBusy) this.#setAlarm(AWAKE);
      else if (index.isBehind) this.#setAlarm(RETRY);
      await index.flush();
    } catch {
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
        const { allowNetwork } = readSettings(this.#env);
        registerFileSystem(new HttpFileSystem({ fetch: guardedFetch(allowNetwork) }));
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
        logFault("Cannot open the repository", error, { repo: this.#name });
      }
    });
  }

  async #opened(): Promise<Repository> {
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
