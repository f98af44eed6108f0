import { AsyncLocalStorage } from "node:async_hooks";
import { describePackage } from "../executor/describe-package.ts";
import type { Evaluated, ExecutorContext, JobResult, JobSpec, ScriptRunner } from "../executor/executor.ts";
import { fromJobError, toJobError } from "../executor/job-error.ts";
import { runJob } from "../executor/run-job.ts";
import type { Task } from "../task/task.ts";
import { Turns } from "../util/turns.ts";
import type { FromHost, ToHost } from "./host-messages.ts";
import { type CapturedOutput, paceOutput } from "./output-pace.ts";

/** What the process of a package provides. */
export interface HostRuntime {
  send(message: FromHost): void;
  /** Loads the package. @returns its tasks */
  loadPackage(path: string): Promise<readonly Task[]>;
  readonly runScript: ScriptRunner;
}

/** What the loop does on behalf of its process. */
export interface HostLoop {
  receive(message: ToHost): void;
  /** Adds a line to the log of the job whose code runs, if there is one. */
  log(line: string): void;
  /** Fails the job whose code has let an error escape. @returns whether there is one */
  fail(error: unknown): boolean;
}

/** Runs the jobs of one package as they come, all at once. */
export function serveHost(runtime: HostRuntime): HostLoop {
  const { send } = runtime;
  const current = new AsyncLocalStorage<HostedJob>();
  const jobs = new Map<number, HostedJob>();
  const others = paceOutput((lines) => send({ type: "log", lines }));
  let scripts = new Turns(1);
  let loaded: Promise<unknown> | undefined;

  const load = async (path: string): Promise<void> => {
    try {
      const description = describePackage(await runtime.loadPackage(path));
      send({ type: "loaded", description });
    } catch (error) {
      send({ type: "failed", error: toJobError(error) });
      throw error;
    }
  };

  const run = async (job: HostedJob, spec: JobSpec): Promise<void> => {
    await loaded;
    const result = await Promise.race([
      runJob(spec, job.context, {
        runScript: (script, context) => scripts.take(() => runtime.runScript(script, context)),
      }),
      job.failed.promise,
    ]);
    jobs.delete(job.id);
    job.output.flush();
    send({ type: "result", id: job.id, result });
  };

  return {
    receive(message) {
      switch (message.type) {
        case "init":
          scripts = new Turns(message.maxScripts);
          loaded = load(message.packagePath);
          // Its owner was told, and ends this process.
          loaded.catch(() => {});
          break;
        case "run": {
          const { id, spec } = message;
          const job = new HostedJob(id, message.evaluates, send);
          jobs.set(id, job);
          void current.run(job, () => run(job, spec)).catch(() => {});
          break;
        }
        case "cancel":
          jobs.get(message.id)?.cancel(fromJobError(message.reason));
          break;
        case "evaluated":
          jobs.get(message.job)?.settle(message.id, message.outcome);
          break;
        case "ping":
          send({ type: "pong" });
      }
    },
    log(line) {
      const job = current.getStore();
      if (job === undefined) others.line(line);
      else job.output.line(line);
    },
    fail(error) {
      const job = current.getStore();
      job?.failed.resolve({ ok: false, error: toJobError(error) });
      return job !== undefined;
    },
  };
}

/** A job at work in this process. */
class HostedJob {
  readonly id: number;
  readonly output: CapturedOutput;
  readonly context: ExecutorContext;
  /** Ends it in place of its function. */
  readonly failed: PromiseWithResolvers<JobResult> = Promise.withResolvers();
  private readonly controller = new AbortController();
  /** The expressions that it awaits. */
  private readonly awaited = new Map<number, PromiseWithResolvers<Evaluated>>();
  private readonly send: (message: FromHost) => void;
  private nextId = 1;

  constructor(id: number, evaluates: boolean, send: (message: FromHost) => void) {
    this.id = id;
    this.send = send;
    this.output = paceOutput((lines) => send({ type: "log", id, lines }));
    const { signal } = this.controller;
    const base = { signal, log: this.output.line };
    this.context = evaluates ? { ...base, evaluate: (text) => this.evaluate(text) } : base;
  }

  private async evaluate(expression: string): Promise<Evaluated> {
    this.controller.signal.throwIfAborted();
    const id = this.nextId++;
    const answer = Promise.withResolvers<Evaluated>();
    this.awaited.set(id, answer);
    this.send({ type: "evaluate", job: this.id, id, expression });
    return answer.promise;
  }

  settle(id: number, outcome: Evaluated): void {
    this.awaited.get(id)?.resolve(outcome);
    this.awaited.delete(id);
  }

  cancel(reason: Error): void {
    this.controller.abort(reason);
    for (const answer of this.awaited.values()) answer.reject(reason);
    this.awaited.clear();
  }
}
