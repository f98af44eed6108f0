import { SchedulerError } from "../errors/errors.ts";
import { fromJobError } from "../executor/job-error.ts";
import type { EngineOptions } from "./engine-api.ts";
import type { FromEngine, StartMessage, ToEngine } from "./start-message.ts";

declare const REDUN_VERSION: string | undefined;

/** Milliseconds in which an engine should have ended its jobs and closed its store. What it has not stored is lost. */
const GRACE = 5000;
/** Milliseconds after which an engine that does not answer is taken for dead, where no other time is set. */
const PATIENCE = 60_000;

/** The worker of an engine, as the page that runs it sees it. */
export class EngineWorker {
  private readonly worker: Worker;
  /** Settles when the engine has died by itself. */
  readonly ended: Promise<void>;
  private timer: ReturnType<typeof setInterval> | undefined = undefined;

  /**
   * Starts an engine.
   *
   * @param engine - its id
   * @throws whatever keeps it from starting
   */
  static async start(repo: string, engine: string, options: EngineOptions): Promise<EngineWorker> {
    const handle = new EngineWorker(repo, options);
    try {
      await handle.begin(startMessage(repo, engine, options));
      return handle;
    } catch (error) {
      handle.terminate();
      throw error;
    }
  }

  private constructor(repo: string, { urls = {}, patience = PATIENCE }: EngineOptions) {
    this.worker = new Worker(urls.engine ?? defaultUrl(), { type: "module", name: `redun ${repo}` });
    this.ended = new Promise((resolve) => {
      let heard = Date.now();
      this.listen((message) => {
        heard = Date.now();
        if (message.type === "ended") resolve();
      });
      let asked = Number.POSITIVE_INFINITY;
      this.timer = setInterval(() => {
        // Timers of hidden pages come late, but what was answered has been heard by then.
        if (heard < asked && Date.now() - asked > patience) resolve();
        if (heard >= asked || asked === Number.POSITIVE_INFINITY) {
          asked = Date.now();
          this.say({ type: "ping" });
        }
      }, patience / 6);
    });
  }

  private begin(message: StartMessage): Promise<void> {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) => {
        event.preventDefault();
        const reason = event.message || "its worker can't be loaded";
        const text = `Cannot run the engine of ${message.repo}: ${reason}`;
        // Once it runs, what escapes the code of a workflow does it no harm.
        reject(new SchedulerError(text, { hint: "Reload the page." }));
      };
      this.listen((answer) => {
        if (answer.type === "ready") resolve();
        else if (answer.type === "failed") reject(fromJobError({ value: undefined, record: answer.error }));
      });
      this.say(message);
    });
  }

  /** Has the engine end what is at work and close its store. */
  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.listen(({ type }) => {
        if (type === "closed") resolve();
      });
      setTimeout(resolve, GRACE);
      this.say({ type: "close" });
    });
    this.terminate();
  }

  terminate(): void {
    clearInterval(this.timer);
    this.worker.terminate();
  }

  private say(message: ToEngine): void {
    this.worker.postMessage(message);
  }

  private listen(listener: (message: FromEngine) => void): void {
    this.worker.addEventListener("message", ({ data }: MessageEvent<FromEngine>) => listener(data));
  }
}

function startMessage(repo: string, engine: string, options: EngineOptions): StartMessage {
  const { urls = {}, workers = navigator.hardwareConcurrency, store } = options;
  const address = (url: string | URL): string => new URL(url, location.href).href;
  return {
    type: "start",
    repo,
    engine,
    version: typeof REDUN_VERSION === "string" ? REDUN_VERSION : "development",
    workers: Math.max(1, workers),
    store,
    urls: {
      job: urls.job === undefined ? undefined : address(urls.job),
      esbuild: address(urls.esbuild ?? "/esbuild.wasm"),
    },
  };
}

/** The engine's worker as it was written, or in the built package, all of whose modules are in one folder. */
function defaultUrl(): URL {
  const here = import.meta.url;
  return /\.ts\b/.test(here) ? new URL("../engine-worker.ts", here) : new URL("engine-worker.js", here);
}
