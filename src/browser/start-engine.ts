import { SchedulerError } from "../errors/errors.ts";
import { uuid } from "../util/uuid.ts";
import type { Engine, EngineApi, EngineEvent, EngineOptions, PickedItem } from "./engine-api.ts";
import { EngineWorker } from "./engine-worker-handle.ts";
import { callEngine, channelName, type Message } from "./transport.ts";

/** The engine that a page talks to now. */
interface Connection {
  readonly engine: string;
  readonly call: (method: string, args: readonly unknown[]) => Promise<unknown>;
  /** Rejects when another engine has taken its place. */
  readonly gone: Promise<never>;
  readonly leave: () => void;
}

/** Milliseconds until an engine is tried again that could not be started here. */
const RETRY = 2000;

/** Says that a call was cut off because the engine has moved. */
const MOVED: unique symbol = Symbol("moved");

/**
 * Opens a repository of this site, and gives its engine. One tab at a time runs the engine, in a dedicated worker;
 * others that open the same repository talk to it, and one of them takes over when it goes: its unfinished executions
 * then go on from the cache.
 *
 * @throws BackendError if this tab is to run the engine and can't open the store
 *
 * @example
 * ```ts no-check
 * import { startEngine } from "redun/browser";
 *
 * const engine = await startEngine({ urls: { esbuild: "/esbuild.wasm" } });
 * const { hash } = await engine.build({ entry: "main.ts", files: { "main.ts": source } });
 * const executionId = crypto.randomUUID();
 * await engine.start({ executionId, package: hash, task: "main", args: [] });
 * const outcome = await engine.outcome(executionId);
 * ```
 */
export async function startEngine(options: EngineOptions = {}): Promise<Engine> {
  const client = new EngineClient(options);
  await client.open();
  return client.asEngine();
}

class EngineClient {
  private readonly repo: string;
  private readonly options: EngineOptions;
  private readonly page = uuid();
  private readonly channel: BroadcastChannel;
  private readonly closing = new AbortController();
  private readonly eventListeners = new Set<(events: readonly EngineEvent[]) => void>();
  private readonly moveListeners = new Set<() => void>();
  private connection: PromiseWithResolvers<Connection> = Promise.withResolvers();
  private connected: Connection | undefined = undefined;
  private hasConnected = false;
  /** Settles when this tab has ended the engine that it ran, if it did. */
  private leading: Promise<void> = Promise.resolve();
  private own: string | undefined = undefined;
  /** What was picked on this page and no engine can remember, by path. */
  private readonly picks = new Map<string, PickedItem>();

  constructor(options: EngineOptions) {
    this.options = options;
    this.repo = options.repo ?? "default";
    this.channel = new BroadcastChannel(channelName(this.repo));
    this.connection.promise.catch(() => {});
  }

  /** Waits until there is an engine, here or elsewhere. */
  async open(): Promise<void> {
    this.channel.addEventListener("message", this.receive);
    const failed = this.stand();
    this.channel.postMessage({ kind: "hello" } satisfies Message);
    try {
      await Promise.race([this.connection.promise, failed]);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Stands by to run the engine. @returns a promise that rejects if it can't */
  private stand(): Promise<never> {
    const { signal } = this.closing;
    return new Promise<never>((_resolve, reject) => {
      // The lock is held for as long as the engine runs, and lost with the tab; the next that waits for it leads.
      const name = channelName(this.repo);
      this.leading = navigator.locks
        .request(name, { signal }, () => this.lead())
        .catch((error: unknown) => {
          if (signal.aborted) return;
          this.lose(error);
          reject(error);
          // What failed once, such as loading the worker without a network, may not the next time.
          setTimeout(() => {
            if (!signal.aborted) this.stand().catch(() => {});
          }, RETRY);
        });
    });
  }

  /** Runs engines, one after another where one dies, until this page lets go. */
  private async lead(): Promise<void> {
    const { signal } = this.closing;
    const aborted = new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    while (!signal.aborted) {
      const started = Date.now();
      this.own = uuid();
      const worker = await EngineWorker.start(this.repo, this.own, this.options);
      await Promise.race([aborted, worker.ended]);
      if (signal.aborted) await worker.close();
      else {
        worker.terminate();
        // One that dies at once would die for ever.
        if (Date.now() - started < RETRY) {
          throw new SchedulerError(`Cannot run the engine of ${this.repo}: it ended as soon as it had begun`);
        }
      }
    }
  }

  /** There is no engine until another one says that it is here. */
  private lose(error: unknown): void {
    this.connection = Promise.withResolvers();
    this.connection.promise.catch(() => {});
    this.connection.reject(error);
    this.connected?.leave();
    this.connected = undefined;
  }

  private readonly receive = ({ data: message }: MessageEvent<Message>): void => {
    if (message.kind === "engine") this.connect(message.engine);
    else if (message.kind === "events" && message.engine === this.connected?.engine) {
      for (const listener of this.eventListeners) listener(message.events);
    }
  };

  private connect(engine: string): void {
    if (this.connected?.engine === engine) return;
    const moved = this.hasConnected;
    this.hasConnected = true;
    this.connected?.leave();
    const gone = Promise.withResolvers<never>();
    gone.promise.catch(() => {});
    const connection: Connection = {
      engine,
      call: callEngine(this.channel, `${this.page}/${engine}`, engine),
      gone: gone.promise,
      leave: () => gone.reject(MOVED),
    };
    this.connected = connection;
    if (moved) this.connection = Promise.withResolvers();
    this.connection.resolve(connection);
    if (moved) {
      for (const item of this.picks.values()) void connection.call("pick", [item]).catch(() => {});
      for (const listener of this.moveListeners) listener();
    }
  }

  /** Calls the engine, again where it has moved in the middle. */
  private async call(method: string, args: readonly unknown[]): Promise<unknown> {
    for (;;) {
      const connection = await this.connection.promise;
      try {
        return await Promise.race([connection.call(method, args), connection.gone]);
      } catch (error) {
        if (error !== MOVED) throw error;
        this.closing.signal.throwIfAborted();
      }
    }
  }

  asEngine(): Engine {
    const client = this;
    const method =
      <M extends keyof EngineApi>(name: M) =>
      (...args: unknown[]) =>
        client.call(name, args) as never;
    return {
      info: method("info"),
      build: method("build"),
      getPackage: method("getPackage"),
      start: async (request) => {
        // The first results to keep are a good time to ask the browser for it.
        if (!(await navigator.storage.persisted())) void navigator.storage.persist();
        await client.call("start", [request]);
      },
      outcome: method("outcome"),
      cancel: method("cancel"),
      eventsAfter: method("eventsAfter"),
      log: method("log"),
      query: method("query"),
      exportRecords: method("exportRecords"),
      reachable: method("reachable"),
      importRecords: method("importRecords"),
      importDatabase: method("importDatabase"),
      listFiles: method("listFiles"),
      readFile: method("readFile"),
      addFile: method("addFile"),
      removeFile: async (path) => {
        client.picks.delete(path);
        await client.call("removeFile", [path]);
      },
      pick: async (item) => {
        const path = (await client.call("pick", [item])) as string;
        if (item.handle === undefined) client.picks.set(path, item);
        return path;
      },
      picks: method("picks"),
      findPicked: method("findPicked"),
      listPicked: method("listPicked"),
      get isHere() {
        return client.own !== undefined && client.own === client.connected?.engine;
      },
      onEvents: (listener) => subscribe(client.eventListeners, listener),
      onMoved: (listener) => subscribe(client.moveListeners, listener),
      close: () => client.close(),
    };
  }

  private async close(): Promise<void> {
    this.closing.abort(new SchedulerError(`Cannot use the engine of ${this.repo}: it was closed here`));
    this.connected?.leave();
    await this.leading;
    this.channel.close();
  }
}

function subscribe<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
