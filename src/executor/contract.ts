import type { RedunError } from "../errors/redun-error.ts";
import { describe as describeExpression } from "../expression/expression.ts";
import type { Task } from "../task/task.ts";
import type { TestFunctions } from "../util/test-functions.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import * as tasks from "./contract-tasks.ts";
import type { Executor, ExecutorContext, JobResult, JobSpec } from "./executor.ts";
import { fromJobError } from "./job-error.ts";

/**
 * What an executor may be unable to do: run shell scripts, end a job that is cancelled, also while it computes without a
 * pause (`interrupt`), hand on what a job prints.
 */
export type ExecutorFeature = "scripts" | "cancel" | "interrupt" | "capture";

/** Options of {@link describeExecutor}. */
export interface ExecutorContractOptions extends TestFunctions {
  readonly afterAll: (run: () => Promise<void>) => unknown;
  /** The features that are lacking, each with the reason. */
  readonly skip?: Readonly<Partial<Record<ExecutorFeature, string>>>;
}

/** A context that keeps the lines of the log. */
export function recordingContext(signal: AbortSignal = new AbortController().signal): ExecutorContext & {
  readonly lines: string[];
} {
  const lines: string[] = [];
  return { signal, lines, log: (line) => void lines.push(line) };
}

let lastJob = 0;

/** The spec of a job that calls a task. */
export function jobSpec(task: Task, args: readonly unknown[], given: Partial<JobSpec> = {}): JobSpec {
  const id = `job-${++lastJob}`;
  const { fullname, hash } = task.definition;
  return {
    jobId: id,
    executionId: "execution",
    evalHash: id,
    task: fullname,
    taskHash: hash,
    package: undefined,
    args: encodeValue(args).text,
    options: {},
    reuse: false,
    ...given,
  };
}

function outcome(result: JobResult): unknown {
  if (!result.ok) throw fromJobError(result.error);
  return decodeValue(result.value);
}

/**
 * What every executor must do. The executor's remote side must know the tasks of this suite, which importing
 * `redun/testing` defines.
 *
 * @param make - makes the executor; the suite closes it
 */
export function describeExecutor(
  name: string,
  make: () => Executor | Promise<Executor>,
  { describe, test, expect, afterAll, skip = {} }: ExecutorContractOptions,
): void {
  let made: Promise<Executor> | undefined;
  const check = (
    title: string,
    body: (executor: Executor) => Promise<void>,
    ...features: readonly ExecutorFeature[]
  ): void => {
    const run = async (): Promise<void> => {
      made ??= Promise.resolve(make());
      await body(await made);
    };
    const reason = features.map((feature) => skip[feature]).find((found) => found !== undefined);
    if (reason === undefined) test(title, run);
    else test.skip(`${title} (${reason})`, run);
  };
  const failure = async (
    executor: Executor,
    spec: JobSpec,
    context = recordingContext(),
  ): Promise<RedunError> => {
    let result: JobResult;
    try {
      result = await executor.run(spec, context);
    } catch (error) {
      return error as RedunError;
    }
    if (result.ok) throw new Error(`The job did not fail but gave ${result.value}`);
    return fromJobError(result.error) as RedunError;
  };

  describe(`executor ${name}`, () => {
    afterAll(async () => (await made)?.close?.());

    check("calls a function with its arguments", async (executor) => {
      const result = await executor.run(jobSpec(tasks.add, [1, 2]), recordingContext());
      expect(outcome(result)).toBe(3);
    });

    check("says when a job began and ended", async (executor) => {
      const before = Date.now();
      const { timings } = await executor.run(jobSpec(tasks.add, [1, 2]), recordingContext());
      expect(timings!.started >= before - 1).toBe(true);
      expect(timings!.ended >= timings!.started).toBe(true);
    });

    check("carries every kind of value there and back", async (executor) => {
      const result = await executor.run(jobSpec(tasks.echo, [tasks.samples()]), recordingContext());
      expect(outcome(result)).toEqual(tasks.samples());
    });

    check("waits for the promise of a function", async (executor) => {
      expect(outcome(await executor.run(jobSpec(tasks.later, [1]), recordingContext()))).toBe(2);
    });

    check("gives back an expression without evaluating it", async (executor) => {
      const result = await executor.run(jobSpec(tasks.lazySum, [1]), recordingContext());
      expect(describeExpression(outcome(result))).toBe(describeExpression(tasks.add(1, 1)));
    });

    check("reports an error with its class, message, fields and stack", async (executor) => {
      const error = await failure(executor, jobSpec(tasks.fail, ["too far"]));
      expect(error).toBeInstanceOf(RangeError);
      expect(error.message).toBe("too far");
      expect((error as unknown as { detail: unknown }).detail).toEqual([1, 2]);
      expect(error.stack).toContain("contract");
    });

    check("names the place in a result that can't be encoded", async (executor) => {
      const error = await failure(executor, jobSpec(tasks.unsupported, []));
      expect(error.code).toBe("unsupported-value");
      expect(error.message).toContain("result.items[3].callback");
    });

    check("refuses a task that it does not know", async (executor) => {
      const error = await failure(executor, jobSpec(tasks.add, [1, 2], { task: "redun_contract.missing" }));
      expect(error.code).toBe("unknown-task");
    });

    check("refuses a task whose code differs", async (executor) => {
      const error = await failure(executor, jobSpec(tasks.add, [1, 2], { taskHash: "0".repeat(40) }));
      expect(error.code).toBe("executor");
      expect(error.message).toContain("differs");
    });

    check("explains that an expression can be awaited beside the scheduler only", async (executor) => {
      const error = await failure(executor, jobSpec(tasks.eager, []));
      expect(error.code).toBe("scheduler");
      expect(error.hint).toContain("executor default");
    });

    check("answers each of many jobs", async (executor) => {
      const results = await Promise.all(
        Array.from({ length: 500 }, (_, i) => executor.run(jobSpec(tasks.add, [i, 1]), recordingContext())),
      );
      expect(results.map(outcome)).toEqual(results.map((_, i) => i + 1));
    });

    check(
      "hands on each job's own output",
      async (executor) => {
        const jobs = Array.from({ length: 20 }, (_, i) => ({
          lines: [`first ${i}`, `second ${i}`],
          context: recordingContext(),
        }));
        const results = await Promise.all(
          jobs.map(({ lines, context }) => executor.run(jobSpec(tasks.print, [lines]), context)),
        );
        expect(jobs.map(({ context }) => context.lines)).toEqual(jobs.map(({ lines }) => lines));
        expect(results.map(({ log }) => log)).toEqual(jobs.map(({ lines }) => lines));
      },
      "capture",
    );

    for (const task of [tasks.forever, tasks.spin] as readonly Task[]) {
      check(
        `ends ${task.name} when it is cancelled, and goes on`,
        async (executor) => {
          const controller = new AbortController();
          const running = failure(executor, jobSpec(task, []), recordingContext(controller.signal));
          await executor.run(jobSpec(tasks.add, [1, 2]), recordingContext());
          const reason = new Error("not wanted any more");
          controller.abort(reason);
          expect((await running).message).toBe(reason.message);
          expect(outcome(await executor.run(jobSpec(tasks.add, [1, 2]), recordingContext()))).toBe(3);
        },
        "cancel",
        ...(task === tasks.spin ? (["interrupt"] as const) : []),
      );
    }

    const scriptJob = (script: string): JobSpec => jobSpec(tasks.shell, [script], { script });

    check(
      "gives the stdout of a script as bytes",
      async (executor) => {
        const result = await executor.run(scriptJob("#!/bin/sh\nprintf 'a\\nb'"), recordingContext());
        expect(outcome(result)).toEqual(new TextEncoder().encode("a\nb"));
      },
      "scripts",
    );

    check(
      "reports a script's whole stderr and its exit code",
      async (executor) => {
        const error = await failure(executor, scriptJob("#!/bin/sh\necho one >&2; echo two >&2; exit 3"));
        expect(error.code).toBe("script");
        expect(error.message).toBe("one\ntwo\n");
        expect(error.fields.exitCode).toBe(3);
        expect(String(error)).toBe("ScriptError: Last line: two");
      },
      "scripts",
    );
  });
}
