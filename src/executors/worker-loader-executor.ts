import { ExecutorError, PackageError } from "../errors/errors.ts";
import type {
  ExecutorContext,
  InvokedTask,
  JobResult,
  JobSpec,
  LocalCall,
  PackageDescription,
  PackageExecutor,
} from "../executor/executor.ts";
import { whenQuiet } from "../util/quiet.ts";
import { hashStruct } from "../value/hash.ts";
import { Isolate, type IsolateCode, type IsolateLoader, type IsolateModule } from "./isolate.ts";
import { IsolateEntry } from "./isolate-entry.ts";
import { type IsolateLimits, type IsolateRuntime, toSent } from "./isolate-messages.ts";
import { JobLanes } from "./job-lanes.ts";
import { asksForHosts, type HostList } from "./network-rules.ts";
import type { PackageContent, PackageSource } from "./worker-messages.ts";

export type { IsolateRuntime } from "./isolate-messages.ts";
export type { HostList } from "./network-rules.ts";
export type { PackageContent, PackageSource } from "./worker-messages.ts";

/** A package that was checked, as modules of an isolate; `isolatePackage` of `redun/package` makes it. */
export interface PreparedPackage {
  readonly manifest: { readonly network?: HostList };
  /** Whether its tasks may run scripts. */
  readonly shell: boolean;
  readonly modules: Readonly<Record<string, IsolateModule>>;
}

/** Options of {@link WorkerLoaderExecutor}. Times are in milliseconds. */
export interface WorkerLoaderExecutorOptions {
  /** Default `default`. */
  readonly name?: string;
  /** The binding, such as `env.LOADER`. */
  readonly loader: IsolateLoader;
  /** What isolates run, as the build made it. */
  readonly runtime: IsolateRuntime;
  /**
   * A name that no other executor of the account has, such as the id of the Durable Object: two that share it share
   * isolates, and what jobs leave in them.
   */
  readonly scope: string;
  readonly packages: PackageSource;
  /**
   * Checks a package and makes it ready.
   *
   * @param content - none for an isolate that runs nothing but scripts
   * @param options - whether its loops must look at the clock
   * @throws PackageError
   */
  readonly prepare: (
    content: PackageContent | undefined,
    options: { readonly guard: boolean },
  ) => PreparedPackage;
  /**
   * Answers what jobs ask of bare paths and `r2://`, such as what `serveFileSystem` makes. Without it, they lead
   * nowhere.
   */
  readonly files?: (operation: unknown, args: unknown) => Promise<unknown>;
  /** Hosts that packages may reach if they ask for them, or all. Default: none. */
  readonly allowNetwork?: boolean | readonly string[];
  /** Makes what requests of a package go through: a service that lets pass what both lists allow. */
  readonly outbound?: (lists: readonly HostList[]) => unknown;
  /** Most isolates with jobs at a time. Default 8; the platform allows an object 10. */
  readonly maxIsolates?: number;
  /** Computing time of a batch of jobs, where the runtime limits it. Default 30,000. */
  readonly cpuMs?: number;
  /**
   * How long code may compute without a pause where it is guarded, as everything stands still meanwhile: a task's
   * `timeout` if that is shorter. Default 10,000.
   */
  readonly turnMs?: number;
  /**
   * How long a job may run, whether it computes or not; what it waits for expressions does not count. It holds one of the
   * isolates' places meanwhile. Default 3,600,000, an hour.
   */
  readonly maxJobMs?: number;
  /** How long a package may take until it is loaded and described. Default 60,000. */
  readonly maxLoadMs?: number;
  /** Bytes of an encoded result or list of arguments. Default and most 32,000,000. */
  readonly maxValueBytes?: number;
  /**
   * Whether code is changed so that it ends itself when it computes too long. Default: where the runtime does not end
   * it, which is everywhere but on Cloudflare's own machines.
   */
  readonly guard?: boolean;
  /** How long an isolate may take to hear of a cancelled job, and to end when its jobs have. Default 5,000. */
  readonly answerTimeout?: number;
}

/** A package that waits for a place to be described. */
interface Describing {
  readonly hash: string;
  go(isolate: Isolate): void;
  fail(error: Error): void;
}

/** The date whose behaviours of the runtime isolates get. */
const COMPATIBILITY_DATE = "2026-10-01";

/** RPC carries 32 MiB in one message. */
const MOST_BYTES = 32_000_000;

const CPU_MS = 30_000;
const TURN_MS = 10_000;
const JOB_MS = 3_600_000;
const LOAD_MS = 60_000;

/** Milliseconds of the longest timer. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** Jobs of a lane that are at work in an isolate at a time, and that are sent at its turn. */
const LANE_WIDTH = 2000;
const TURN = 500;

/** So many milliseconds an isolate has jobs before another package may have its place. */
const FAIR_SHARE = 500;

/**
 * Runs the jobs of code packages in isolates of Cloudflare's Worker Loader, one a package, and never evaluates their code
 * in its own.
 *
 * An isolate has no bindings, no secrets, and no network unless its package asks for it and the operator allows it. The
 * jobs of a package run in it at the same time; those that are ready together travel together, and are answered as they
 * end. When an isolate fails, the jobs in it fail, and the next job has a new one. Where more packages have jobs than
 * isolates are allowed, they take turns, as executions do.
 *
 * Tasks without a package, which are the engine's own, are called here; scripts without one run in an isolate of their
 * own. It must be used in one Durable Object, or in one request of a Worker.
 */
export class WorkerLoaderExecutor implements PackageExecutor {
  readonly name: string;
  readonly #options: WorkerLoaderExecutorOptions;
  readonly #maxIsolates: number;
  readonly #limits: IsolateLimits;
  readonly #guard: boolean;
  readonly #waiting = new JobLanes<IsolateEntry>(TURN);
  /** The isolate that takes a package's jobs. */
  readonly #current = new Map<string, Isolate>();
  /** All that may have jobs. */
  readonly #isolates = new Set<Isolate>();
  readonly #describing: Describing[] = [];
  /** What the names of a package's isolates end with since one of them failed. */
  readonly #renewed = new Map<string, string>();
  readonly #prefix: string;
  #pumping = false;
  #pumps = 0;
  #closed = false;

  constructor(options: WorkerLoaderExecutorOptions) {
    const { maxIsolates = 8, maxValueBytes = MOST_BYTES, allowNetwork = false, scope, runtime } = options;
    this.name = options.name ?? "default";
    this.#options = options;
    this.#maxIsolates = Math.max(1, maxIsolates);
    this.#guard = options.guard ?? clockMoves();
    this.#limits = {
      maxValueBytes: Math.min(MOST_BYTES, maxValueBytes),
      turnMs: options.turnMs ?? TURN_MS,
      allowNetwork: asksForHosts(allowNetwork) ? allowNetwork : false,
    };
    // An isolate that was made otherwise is another.
    const { cpuMs = CPU_MS, outbound } = options;
    const made = JSON.stringify([this.#limits, this.#guard, cpuMs, outbound !== undefined]);
    this.#prefix = hashStruct([scope, runtime.hash, made]);
  }

  invoke({ fn, args }: LocalCall): unknown {
    return fn(...args);
  }

  invokes(task: InvokedTask): boolean {
    return task.package === undefined;
  }

  async describe(packageHash: string): Promise<PackageDescription> {
    this.#refuseIfClosed(`describe the code package ${packageHash}`);
    const isolate = await new Promise<Isolate>((go, fail) => {
      this.#describing.push({ hash: packageHash, go, fail });
      this.#moved();
    });
    return await isolate.describe();
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    this.#refuseIfClosed(`run ${spec.task}`);
    const { signal } = context;
    signal.throwIfAborted();
    const { args, options, ...rest } = spec;
    const seconds = Number(options.timeout ?? 0);
    const timeout = seconds > 0 ? seconds * 1000 : undefined;
    const sent = { spec: rest, args: toSent(args), canEvaluate: context.evaluate !== undefined, timeout };
    const bytes = sent.args.length + (spec.script?.length ?? 0);
    if (bytes > this.#limits.maxValueBytes) {
      const { maxValueBytes } = this.#limits;
      throw new ExecutorError(
        `Cannot run ${spec.task}: its arguments have ${bytes} bytes, and at most ${maxValueBytes} can be sent`,
        { hint: "Pass a File that holds them.", fields: { task: spec.task, bytes, most: maxValueBytes } },
      );
    }
    const { maxJobMs = JOB_MS } = this.#options;
    return await new Promise((resolve, reject) => {
      const over = (): void => giveUp(tooLong(spec, maxJobMs));
      const limit = { ms: Math.min(maxJobMs, LONGEST_TIMER), over };
      const entry = new IsolateEntry(spec, context, sent, limit, {
        resolve: (result) => {
          signal.removeEventListener("abort", abort);
          resolve(result);
        },
        reject: (error) => {
          signal.removeEventListener("abort", abort);
          reject(error);
        },
      });
      const giveUp = (reason: unknown): void => {
        entry.fail(reason);
        for (const isolate of this.#isolates) isolate.cancel(entry);
      };
      const abort = (): void => giveUp(signal.reason);
      signal.addEventListener("abort", abort);
      this.#waiting.add(entry);
      this.#moved();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const { hash, fail } of this.#describing.splice(0))
      fail(this.#closedError(`describe the code package ${hash}`));
    for (const entry of this.#waiting.clear()) entry.fail(this.#closedError(`run ${entry.spec.task}`));
    for (const isolate of this.#isolates) isolate.close((what) => this.#closedError(what));
  }

  #refuseIfClosed(what: string): void {
    if (this.#closed) throw this.#closedError(what);
  }

  #closedError(what: string): ExecutorError {
    return new ExecutorError(`Cannot ${what}: the executor ${this.name} is closed`);
  }

  /** Something may be sent. What comes in the same turn goes together. */
  #moved(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    const pause = ++this.#pumps % PUMPS === 0;
    void (pause ? nextTurn() : whenQuiet(() => this.#waiting.added)).then(() => {
      this.#pumping = false;
      this.#pump();
    });
  }

  #pump(): void {
    const taken = new Map<Isolate, IsolateEntry[]>();
    const lacking = new Set<string>();
    const place = (hash: string): Isolate | undefined => {
      const isolate = this.#isolate(hash);
      if (isolate.busy || taken.has(isolate)) return isolate;
      const begun = [...taken.keys()].filter(({ busy }) => !busy).length;
      const busy = [...this.#isolates].filter((one) => one.busy).length;
      if (busy + begun >= this.#maxIsolates) {
        lacking.add(hash);
        return undefined;
      }
      taken.set(isolate, []);
      return isolate;
    };
    for (const waiting of this.#describing.splice(0)) {
      const isolate = place(waiting.hash);
      if (isolate === undefined) this.#describing.push(waiting);
      else waiting.go(isolate);
    }
    const room = (first: IsolateEntry): number => {
      const isolate = place(first.spec.package ?? "");
      if (isolate === undefined) return 0;
      const { working, awaiting } = isolate.count(first.lane);
      // Jobs that wait for others would keep their place for ever if those could not run.
      if (isolate.draining && awaiting === 0) return 0;
      return Math.min(LANE_WIDTH - working, isolate.room - (taken.get(isolate)?.length ?? 0));
    };
    this.#waiting.take(room, (entry) => {
      const isolate = this.#isolate(entry.spec.package ?? "");
      entry.begin(isolate.count(entry.lane));
      taken.get(isolate)?.push(entry) ?? taken.set(isolate, [entry]);
    });
    for (const [isolate, entries] of taken) isolate.send(entries);
    this.#drain(lacking.size);
    this.#forget();
  }

  /** Has those isolates let others have their place that had it longest. */
  #drain(count: number): void {
    if (count === 0) return;
    const since = Date.now() - FAIR_SHARE;
    const busy = [...this.#isolates].filter((one) => one.busy);
    const draining = busy.filter((one) => one.draining).length;
    busy
      .filter((one) => !one.draining && one.busySince < since)
      .sort((a, b) => a.busySince - b.busySince)
      .slice(0, Math.max(0, count - draining))
      .forEach((one) => {
        one.draining = true;
      });
  }

  /** The isolate of a package that takes jobs. */
  #isolate(hash: string): Isolate {
    const known = this.#current.get(hash);
    if (known !== undefined && !known.retired) return known;
    if (known !== undefined) this.#renewed.set(hash, crypto.randomUUID());
    const id = [this.#prefix, hash, this.#renewed.get(hash) ?? ""].join("/");
    const { loader, files, cpuMs = CPU_MS, answerTimeout = 5000, maxLoadMs = LOAD_MS } = this.#options;
    const isolate = new Isolate(hash, id, {
      loader,
      files,
      cpuMs,
      answerTimeout,
      maxLoadMs,
      limits: this.#limits,
      maxValueBytes: this.#limits.maxValueBytes,
      code: () => this.#code(hash),
      moved: () => this.#moved(),
    });
    this.#current.set(hash, isolate);
    this.#isolates.add(isolate);
    return isolate;
  }

  async #code(hash: string): Promise<IsolateCode> {
    const { packages, prepare, runtime, outbound, cpuMs = CPU_MS } = this.#options;
    const content = hash === "" ? undefined : await packages(hash);
    if (hash !== "" && content === undefined) {
      throw new PackageError(`Cannot load the code package ${hash}: it is not here`, {
        hint: "Upload it before it is run.",
        fields: { hash },
      });
    }
    const { manifest, modules, shell } = prepare(content, { guard: this.#guard });
    if (content !== undefined && content.hash !== hash) {
      throw new PackageError(`Cannot load the code package ${hash}: another came in its place`, {
        fields: { hash, actual: content.hash },
      });
    }
    const { allowNetwork } = this.#limits;
    const isAllowed = asksForHosts(manifest.network) && allowNetwork !== false && outbound !== undefined;
    return {
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: ["nodejs_compat"],
      mainModule: runtime.main,
      modules: {
        ...asModules(runtime.modules),
        ...(shell ? asModules(runtime.shell) : {}),
        ...modules,
      },
      env: {},
      globalOutbound: isAllowed ? outbound([manifest.network!, allowNetwork]) : null,
      limits: { cpuMs },
    };
  }

  /** Lets go of isolates that have failed, and of those that were idle longest if there are many. */
  #forget(): void {
    for (const isolate of this.#isolates) {
      if (isolate.busy) continue;
      const isMany = this.#isolates.size > REMEMBERED;
      if (!isolate.retired && !isMany) continue;
      this.#isolates.delete(isolate);
      if (!isolate.retired) this.#current.delete(isolate.package);
    }
  }
}

function tooLong({ task }: JobSpec, ms: number): ExecutorError {
  return new ExecutorError(`Cannot finish ${task}: it ran for more than ${ms / 1000} s`, {
    hint: "Split the work into more tasks, or ask the operator for more time.",
    fields: { task },
  });
}

function asModules(texts: Readonly<Record<string, string>>): Record<string, IsolateModule> {
  return Object.fromEntries(Object.entries(texts).map(([name, js]) => [name, { js }]));
}

/**
 * So often is something sent until timers and connections have their turn. On one's own machine calls of isolates take no
 * way outside, and workerd looks there only when nothing is left to do within.
 */
const PUMPS = 16;

const nextTurn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));

/** So many isolates are remembered. */
const REMEMBERED = 100;

/**
 * Whether the clock goes on while code computes. On Cloudflare's own machines it stands still, and those end code that
 * computes too long.
 */
function clockMoves(): boolean {
  if (moves !== undefined) return moves;
  const start = Date.now();
  moves = false;
  for (let i = 0; i < 500_000 && !moves; i++) moves = Date.now() !== start;
  return moves;
}

/** Found out once. */
let moves: boolean | undefined;
