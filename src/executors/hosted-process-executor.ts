import { availableParallelism } from "node:os";
import { ExecutorError } from "../errors/errors.ts";
import type {
  ExecutorContext,
  InvokedTask,
  JobResult,
  JobSpec,
  LocalCall,
  PackageDescription,
  PackageExecutor,
} from "../executor/executor.ts";
import { runJob } from "../executor/run-job.ts";
import { HostProcess, type HostSettings } from "./host-process.ts";
import { processKind } from "./node-workers.ts";
import { plainEnvironment } from "./plain-environment.ts";
import { PoolExecutor } from "./pool-executor.ts";
import { scriptRunner } from "./script-runner.ts";
import type { WorkerKind } from "./worker-handle.ts";

/** Options of {@link HostedProcessExecutor}. Times are in milliseconds. */
export interface HostedProcessExecutorOptions {
  /** Default `default`. */
  readonly name?: string | undefined;
  /** Makes a local copy of a code package, such as `localPackages` does, and gives the path of its module. */
  readonly packagePath: (hash: string) => Promise<string>;
  /** Most functions that compute at once, and most scripts. Default: as many as the machine has processors. */
  readonly maxWorkers?: number | undefined;
  /** How long processes are kept without a job. Default 60,000. */
  readonly idleTimeout?: number | undefined;
  /** How long a package may take to load. Default 30,000. */
  readonly loadTimeout?: number | undefined;
  /** How long a package's process may take to listen when one of its jobs was cancelled. Default 5,000. */
  readonly answerTimeout?: number | undefined;
  /** Variables for the environment of jobs, besides those of this process that hold no secrets. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** Options of the runtime for the jobs' processes, such as `--max-old-space-size=4096`. */
  readonly execArgv?: readonly string[] | undefined;
}

/** What is known of a package. */
interface Place {
  readonly path: string;
  readonly description: PackageDescription;
  /** Names of tasks whose functions may await expressions. */
  readonly async: ReadonlySet<string>;
  /** Its own workers: packages may define value types of the same name, and share no globals. */
  readonly kind: WorkerKind;
}

/** So many packages are remembered. */
const REMEMBERED = 100;

/**
 * Runs the jobs of code packages in child processes of this machine, and never evaluates their code in this one.
 *
 * Plain functions compute in a pool of workers, in which executions take turns; a worker serves one package. Tasks with
 * an `async` function, and scheduler tasks, may wait long for other jobs, and by the thousand: those of a package run at
 * the same time in one process of its own, which also describes the package. Such a process fails with its own jobs only,
 * and the next job has a new one. All these processes have an environment without secrets, don't keep this process alive,
 * end after a while without jobs, and end with this process.
 *
 * Tasks without a package, which are the engine's own, are called here.
 */
export class HostedProcessExecutor implements PackageExecutor {
  readonly name: string;
  private readonly options: HostedProcessExecutorOptions;
  private readonly settings: HostSettings;
  private readonly pool: PoolExecutor;
  private readonly places = new Map<string, Promise<Place>>();
  /** The places that are known, to be had without waiting. */
  private readonly known = new Map<string, Place>();
  private readonly hosts = new Map<string, HostProcess>();
  private readonly ending = new Set<Promise<void>>();
  private closed = false;

  constructor(options: HostedProcessExecutorOptions) {
    const { name = "default", idleTimeout = 60_000, execArgv } = options;
    const maxWorkers = Math.max(1, options.maxWorkers ?? availableParallelism());
    const env = { ...plainEnvironment(), ...options.env };
    this.name = name;
    this.options = options;
    this.settings = {
      env,
      execArgv,
      maxScripts: maxWorkers,
      idleTimeout,
      loadTimeout: options.loadTimeout ?? 30_000,
      answerTimeout: options.answerTimeout ?? 5_000,
    };
    this.pool = new PoolExecutor({
      name,
      maxWorkers,
      modules: [],
      runScript: scriptRunner(env),
      kindOf: (spec) => this.known.get(spec.package!)!.kind,
      packagePath: (hash) => this.known.get(hash)!.path,
      // Executions of several packages take turns without starting workers again and again.
      spare: 2 * maxWorkers,
      idleTimeout,
    });
  }

  invoke({ fn, args }: LocalCall): unknown {
    return fn(...args);
  }

  invokes(task: InvokedTask): boolean {
    return task.package === undefined;
  }

  async describe(packageHash: string): Promise<PackageDescription> {
    this.refuseIfClosed(`describe the code package ${packageHash}`);
    return (await this.place(packageHash)).description;
  }

  async run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    this.refuseIfClosed(`run ${spec.task}`);
    context.signal.throwIfAborted();
    if (spec.script !== undefined) return this.pool.run(spec, context);
    if (spec.package === undefined) return this.runOwn(spec, context);
    let place = this.known.get(spec.package);
    if (place === undefined) {
      place = await this.place(spec.package);
      context.signal.throwIfAborted();
      this.known.set(spec.package, place);
    }
    const mayAwait = spec.schedulerContext !== undefined || place.async.has(spec.task);
    if (!mayAwait) return this.pool.run(spec, context);
    return this.host(spec.package, place.path).run(spec, context);
  }

  async close(): Promise<void> {
    this.closed = true;
    const reason = `the executor ${this.name} closed`;
    await Promise.all([
      this.pool.close(),
      ...[...this.hosts.values()].map((host) => host.close(reason)),
      ...this.ending,
    ]);
  }

  private refuseIfClosed(what: string): void {
    if (this.closed) throw new ExecutorError(`Cannot ${what}: the executor ${this.name} is closed`);
  }

  private runOwn(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    if (spec.task.startsWith("redun.")) return runJob(spec, context);
    throw new ExecutorError(`Cannot run ${spec.task}: it is of no code package`, {
      hint: "Build the workflow that defines it into a package.",
      fields: { task: spec.task },
    });
  }

  private place(hash: string): Promise<Place> {
    let place = this.places.get(hash);
    if (place === undefined) {
      place = this.findPlace(hash);
      this.places.set(hash, place);
      place.catch(() => this.places.delete(hash));
    }
    return place;
  }

  private async findPlace(hash: string): Promise<Place> {
    const path = await this.options.packagePath(hash);
    this.refuseIfClosed(`load the code package ${hash}`);
    const description = await this.host(hash, path).description;
    const async = new Set(description.tasks.filter((task) => task.async).map(({ fullname }) => fullname));
    const place = { path, description, async, kind: processKind(this.settings) };
    this.known.set(hash, place);
    const [oldest] = this.known.keys();
    if (this.known.size > REMEMBERED) this.forget(oldest!);
    return place;
  }

  private forget(hash: string): void {
    this.known.delete(hash);
    this.places.delete(hash);
  }

  /** The process of a package, which is started if there is none. */
  private host(hash: string, path: string): HostProcess {
    let host = this.hosts.get(hash);
    if (host === undefined) {
      host = new HostProcess(hash, path, this.settings, () => {
        if (this.hosts.get(hash) !== host) return;
        this.hosts.delete(hash);
        const gone = host!.ended;
        this.ending.add(gone);
        void gone.then(() => this.ending.delete(gone));
      });
      this.hosts.set(hash, host);
    }
    return host;
  }
}
