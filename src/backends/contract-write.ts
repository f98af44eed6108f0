import type { Backend, JobRow } from "../backend/backend.ts";
import type { CallNodeRecord, JobRecord, TaskRecord, ValueRecord } from "../backend/records.ts";
import type { BackendChecks } from "./contract.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  fileOf,
  hashOf,
  idOf,
  tagOf,
  taskOf,
  valueRecord,
} from "./contract-records.ts";

const anyTask = (): boolean => true;

/** Writing records, and reading them by their ids. */
export function checkWrites({ describe, expect, check, checkLasting }: BackendChecks): void {
  const add = taskOf("math.add");
  const main = taskOf("main");
  const [one, two, three] = [valueRecord(1), valueRecord(2), valueRecord(3)];
  const execution = { id: idOf("execution"), args: ["redun", "run"], jobId: idOf("root"), startTime: 1000 };

  const jobOf = (name: string, more: Partial<JobRecord> = {}): JobRecord => ({
    id: idOf(name),
    executionId: execution.id,
    parentId: name === "root" ? null : idOf("root"),
    taskHash: main.hash,
    startTime: 1000,
    ...more,
  });

  describe("values", () => {
    check("come back as they were, in the order asked, unknown ones as undefined", async (backend) => {
      await backend.write(batchOf({ values: [one, two] }));
      const rows = await backend.getValues([two.hash, hashOf("unknown"), one.hash, two.hash]);
      expect(rows).toEqual([
        { ...two, file: null, subvalues: [] },
        undefined,
        { ...one, file: null, subvalues: [] },
        { ...two, file: null, subvalues: [] },
      ]);
      expect(await backend.getValues([])).toEqual([]);
    });

    check("keep their parts at every depth, each recorded once, and paths of files", async (backend) => {
      const file = fileOf("data/naïve 文件.txt");
      const inner = valueRecord(["inner"], { subvalues: [file, one] });
      const outer = valueRecord(["outer"], { subvalues: [inner, file, file] });
      await backend.write(batchOf({ values: [outer] }));
      const [outerRow, innerRow, fileRow] = await backend.getValues([outer.hash, inner.hash, file.hash]);
      expect(outerRow?.subvalues).toEqual([file.hash, inner.hash].sort());
      expect(innerRow?.subvalues).toEqual([file.hash, one.hash].sort());
      expect([fileRow?.type, fileRow?.file]).toEqual(["redun.File", "data/naïve 文件.txt"]);
      expect(await backend.count({ type: "Value" })).toBe(4);
    });

    check("are not changed by being written again", async (backend) => {
      const bare: ValueRecord = { ...one, text: "[1]" };
      await backend.write(batchOf({ values: [one] }));
      await backend.write(batchOf({ values: [bare, { ...one, type: "other", file: "x" }] }));
      expect(await backend.getValues([one.hash])).toEqual([{ ...one, file: null, subvalues: [] }]);
      expect(await backend.count({ type: "Value" })).toBe(1);
    });

    check("may be large", async (backend) => {
      const large = valueRecord("0123456789abcdef文".repeat(300_000));
      const call = callOf({ task: main, args: [large], value: large });
      await backend.write(batchOf({ tasks: [main], evaluations: [evaluationOf(call)], callNodes: [call] }));
      const [row] = await backend.getValues([large.hash]);
      expect(row?.text === large.text).toBe(true);
      const { evalHash, taskHash, argsHash } = call;
      const query = { evalHash: evalHash!, taskHash, argsHash, contextHash: undefined };
      const hits = await backend.lookup([{ ...query, allowed: ["ultimate"] }], anyTask);
      expect(hits[0]?.value.text.length).toBe(large.text.length);
    });
  });

  describe("tasks", () => {
    check("come back whole, and stand in the store as values too", async (backend) => {
      const documented: TaskRecord = {
        ...taskOf("a.b.c"),
        source: "() => '\u0000 naïve 文件 \ud83d\ude00'\n",
        version: "2",
        doc: "Does it.",
        parameters: ["x", "options"],
      };
      await backend.write(batchOf({ tasks: [add, documented, add] }));
      const rows = await backend.getTasks([documented.hash, hashOf("unknown"), add.hash]);
      expect(rows).toEqual([documented, undefined, add]);
      const [value] = await backend.getValues([add.hash]);
      expect([value?.type, value?.hash]).toEqual(["redun.Task", add.hash]);
      expect(await backend.count({ type: "Task" })).toBe(2);
    });

    check("are not changed by being written again", async (backend) => {
      await backend.write(batchOf({ tasks: [add] }));
      await backend.write(batchOf({ tasks: [{ ...add, source: "other", name: "other" }] }));
      expect(await backend.getTasks([add.hash])).toEqual([add]);
    });
  });

  describe("calls", () => {
    check("keep arguments by position and by name, with their upstreams", async (backend) => {
      const [a, b] = [callOf({ task: add, args: [one], value: two }), callOf({ task: add, value: one })];
      const call = callOf({
        task: main,
        args: [
          { position: 0, key: null, value: two, upstream: [a.callHash, b.callHash, a.callHash] },
          { position: 1, key: null, value: three, upstream: [] },
          { position: null, key: "scale", value: one, upstream: [b.callHash] },
          // Calls without provenance are in no store.
          { position: null, key: "mode", value: one, upstream: [hashOf("no provenance")] },
        ],
        value: three,
        children: [a, b],
        timestamp: 1234.567,
      });
      await backend.write(batchOf({ tasks: [add, main], callNodes: [a, b, call] }));
      const [row] = await backend.getCallNodes([call.callHash]);
      const { args, ...rest } = row!;
      expect(rest).toEqual({
        callHash: call.callHash,
        taskName: "main",
        taskHash: main.hash,
        argsHash: call.argsHash,
        valueHash: three.hash,
        timestamp: 1234.567,
        contextHash: null,
        children: [a.callHash, b.callHash],
      });
      expect(args.map(({ argHash: _, ...arg }) => arg)).toEqual([
        { position: 0, key: null, valueHash: two.hash, upstream: [a.callHash, b.callHash].sort() },
        { position: 1, key: null, valueHash: three.hash, upstream: [] },
        { position: null, key: "scale", valueHash: one.hash, upstream: [b.callHash] },
        { position: null, key: "mode", valueHash: one.hash, upstream: [] },
      ]);
      expect(new Set(args.map((arg) => arg.argHash)).size).toBe(4);
      for (const { argHash } of args) expect(argHash).toMatch(/^[0-9a-f]{40}$/);
    });

    check(
      "keep their children in order, repeats included, without those that are in no store",
      async (backend) => {
        const [a, b] = [callOf({ task: add, args: [one], value: one }), callOf({ task: add, value: two })];
        const lost = callOf({ task: add, args: [three], value: three });
        const call = callOf({ task: main, value: one, children: [b, a, lost, b, a] });
        // A child may come after its parent in one batch.
        await backend.write(batchOf({ tasks: [add, main], callNodes: [call, a, b] }));
        const [row] = await backend.getCallNodes([call.callHash]);
        expect(row?.children).toEqual([b.callHash, a.callHash, b.callHash, a.callHash]);
        expect(await backend.parentCalls(b.callHash)).toEqual([call.callHash]);
        expect(await backend.parentCalls(call.callHash)).toEqual([]);
        // Recorded later, it is not joined to a call that is finished.
        await backend.write(batchOf({ callNodes: [lost] }));
        expect((await backend.getCallNodes([call.callHash]))[0]?.children.length).toBe(4);
      },
    );

    check("find their children in earlier batches, and share them", async (backend) => {
      const child = callOf({ task: add, args: [one], value: one });
      await backend.write(batchOf({ tasks: [add, main], callNodes: [child] }));
      const parents = [one, two, three].map((value) =>
        callOf({ task: main, args: [value], value, children: [child] }),
      );
      for (const parent of parents) await backend.write(batchOf({ callNodes: [parent] }));
      expect((await backend.parentCalls(child.callHash)).sort()).toEqual(
        parents.map(({ callHash }) => callHash).sort(),
      );
    });

    check("are recorded once, and keep their first time and edges", async (backend) => {
      const child = callOf({ task: add, args: [one], value: one });
      const call = callOf({ task: main, args: [one], value: one, timestamp: 1000, children: [child] });
      await backend.write(batchOf({ tasks: [add, main], callNodes: [child, call] }));
      await backend.write(batchOf({ callNodes: [{ ...call, timestamp: 2000, children: [], args: [] }] }));
      const [row] = await backend.getCallNodes([call.callHash]);
      expect([row?.timestamp, row?.children.length, row?.args.length]).toEqual([1000, 1, 1]);
      expect(await backend.count({ type: "CallNode" })).toBe(2);
    });

    check("keep the hash of their context", async (backend) => {
      const context = valueRecord({ tool: "v1" });
      const call = callOf({ task: main, value: one, contextHash: context.hash });
      await backend.write(batchOf({ tasks: [main], values: [context], callNodes: [call] }));
      expect(
        (await backend.getCallNodes([call.callHash, hashOf("?")])).map((row) => row?.contextHash),
      ).toEqual([context.hash, undefined]);
    });

    check("may have a task that is not recorded", async (backend) => {
      const call = callOf({ task: add, args: [one], value: one });
      await backend.write(batchOf({ callNodes: [call], jobs: [jobOf("root", { callHash: call.callHash })] }));
      const [row] = await backend.getCallNodes([call.callHash]);
      expect([row?.taskName, row?.taskHash]).toEqual(["math.add", add.hash]);
      expect(await backend.getTasks([add.hash])).toEqual([undefined]);
      await backend.write(batchOf({ tasks: [add] }));
      expect(await backend.getTasks([add.hash])).toEqual([add]);
    });
  });

  describe("jobs and executions", () => {
    const call = callOf({ task: main, args: [one], value: one });
    const failed = callOf({ task: main, args: [two], value: errorOf("boom") });
    const base = batchOf({ tasks: [main], callNodes: [call, failed] });

    check("start in one batch and end in another", async (backend) => {
      await backend.write(batchOf({ ...base, executions: [execution], jobs: [jobOf("root")] }));
      const [running] = await backend.getJobs([idOf("root")]);
      expect(running).toEqual({
        id: idOf("root"),
        executionId: execution.id,
        parentId: null,
        taskHash: main.hash,
        taskName: "main",
        status: "RUNNING",
        startTime: 1000,
        endTime: null,
        cached: false,
        callHash: null,
      } satisfies JobRow);
      expect(await backend.getExecutions([execution.id])).toEqual([
        { ...execution, status: "RUNNING", endTime: null, updatedTime: 1000 },
      ]);
      const end = { id: idOf("root"), endTime: 2000.125, cached: false, callHash: call.callHash };
      await backend.write(batchOf({ jobEnds: [end] }));
      const [done] = await backend.getJobs([idOf("root")]);
      expect(done).toEqual({ ...running!, status: "DONE", endTime: 2000.125, callHash: call.callHash });
      expect((await backend.getExecutions([execution.id]))[0]).toEqual({
        ...execution,
        status: "DONE",
        endTime: 2000.125,
        updatedTime: 1000,
      });
    });

    check("start and end in one batch, as one record or two", async (backend) => {
      const end = { endTime: 2000, cached: true, callHash: call.callHash };
      await backend.write(
        batchOf({
          ...base,
          executions: [execution],
          jobs: [jobOf("root"), jobOf("whole", end), jobOf("instant", { ...end, endTime: 1000 })],
          jobEnds: [{ id: idOf("root"), ...end, cached: false }],
        }),
      );
      const rows = await backend.getJobs(["root", "whole", "instant", "unknown"].map(idOf));
      expect(rows.map((row) => row && [row.status, row.startTime, row.endTime, row.cached])).toEqual([
        ["DONE", 1000, 2000, false],
        ["CACHED", 1000, 2000, true],
        ["CACHED", 1000, 1000, true],
        undefined,
      ]);
    });

    check("end once; the end of an unknown job is let go", async (backend) => {
      await backend.write(batchOf({ ...base, jobs: [jobOf("root")] }));
      const end = { id: idOf("root"), endTime: 2000, cached: false, callHash: call.callHash };
      await backend.write(
        batchOf({ jobEnds: [end, { ...end, endTime: 3000 }, { ...end, id: idOf("unknown") }] }),
      );
      await backend.write(
        batchOf({ jobEnds: [{ ...end, endTime: 4000, cached: true, callHash: failed.callHash }] }),
      );
      expect((await backend.getJobs([idOf("root"), idOf("unknown")])).map((row) => row?.endTime)).toEqual([
        2000,
        undefined,
      ]);
      expect(await backend.count({ type: "Job" })).toBe(1);
    });

    check("end without a call where the call has no provenance", async (backend) => {
      const end = { endTime: 2000, cached: false };
      await backend.write(
        batchOf({
          ...base,
          jobs: [
            jobOf("root", { ...end, callHash: undefined }),
            jobOf("b", { ...end, callHash: hashOf("?") }),
          ],
        }),
      );
      const rows = await backend.getJobs([idOf("root"), idOf("b")]);
      expect(rows.map((row) => [row?.status, row?.callHash])).toEqual([
        ["DONE", null],
        ["DONE", null],
      ]);
    });

    const statuses: readonly (readonly [string, Partial<JobRecord>, string])[] = [
      ["running", {}, "RUNNING"],
      ["done", { endTime: 2000, cached: false, callHash: call.callHash }, "DONE"],
      ["cached", { endTime: 2000, cached: true, callHash: call.callHash }, "CACHED"],
      ["failed", { endTime: 2000, cached: false, callHash: failed.callHash }, "FAILED"],
      ["cached failure", { endTime: 2000, cached: true, callHash: failed.callHash }, "FAILED"],
    ];

    check("have a status that follows from their end and result", async (backend) => {
      await backend.write(
        batchOf({
          ...base,
          executions: [
            ...statuses.map(([name]) => ({ ...execution, id: idOf(`of ${name}`), jobId: idOf(name) })),
            { ...execution, id: idOf("of nothing"), jobId: idOf("nothing") },
          ],
          jobs: statuses.map(([name, more]) => jobOf(name, { ...more, executionId: idOf(`of ${name}`) })),
        }),
      );
      const jobs = await backend.getJobs(statuses.map(([name]) => idOf(name)));
      expect(jobs.map((row) => row?.status)).toEqual(statuses.map(([, , status]) => status));
      const executions = await backend.getExecutions(
        [...statuses.map(([name]) => name), "nothing"].map((name) => idOf(`of ${name}`)),
      );
      expect(executions.map((row) => row?.status)).toEqual([
        "RUNNING",
        "DONE",
        "DONE",
        "FAILED",
        "FAILED",
        "FAILED",
      ]);
    });

    check("are asked for by statuses with terms of their own", async (backend) => {
      await backend.write(
        batchOf({
          ...base,
          executions: statuses.map(([name]) => ({ ...execution, id: idOf(`of ${name}`), jobId: idOf(name) })),
          jobs: statuses.map(([name, more]) => jobOf(name, { ...more, executionId: idOf(`of ${name}`) })),
        }),
      );
      const names = new Map(statuses.flatMap(([name]) => [name, `of ${name}`]).map((n) => [idOf(n), n]));
      const jobs = async (...jobStatus: JobRow["status"][]): Promise<string[]> =>
        (await backend.find({ type: "Job", jobStatus })).map(({ id }) => names.get(id)!).sort();
      expect(await jobs("RUNNING")).toEqual(["running"]);
      expect(await jobs("DONE")).toEqual(["done"]);
      expect(await jobs("CACHED")).toEqual(["cached", "cached failure"]);
      expect(await jobs("FAILED")).toEqual(["cached failure", "failed"]);
      expect(await jobs("FAILED", "CACHED")).toEqual(["cached", "cached failure", "failed"]);
      expect(await jobs()).toEqual([]);
      const executions = async (...executionStatus: ("RUNNING" | "DONE" | "FAILED")[]): Promise<string[]> =>
        (await backend.find({ type: "Execution", executionStatus })).map(({ id }) => names.get(id)!).sort();
      expect(await executions("RUNNING")).toEqual(["of running"]);
      expect(await executions("DONE")).toEqual(["of cached", "of done"]);
      expect(await executions("FAILED")).toEqual(["of cached failure", "of failed"]);
      expect(await executions("DONE", "RUNNING")).toEqual(["of cached", "of done", "of running"]);
    });

    check("take ids that are no UUIDs", async (backend) => {
      const ids = ["job-1", "JOB-1", "11111111-2222-3333-4444-55555555555G", idOf("x").toUpperCase()];
      await backend.write(
        batchOf({
          ...base,
          executions: [{ ...execution, id: "my execution", jobId: ids[0]! }],
          jobs: ids.map((id, i) =>
            jobOf("root", { id, parentId: i === 0 ? null : ids[0]!, executionId: "my execution" }),
          ),
        }),
      );
      const rows = await backend.getJobs(ids);
      expect(rows.map((row) => row?.executionId)).toEqual(ids.map(() => "my execution"));
      expect(rows.map((row) => row?.parentId)).toEqual([null, "job-1", "job-1", "job-1"]);
      expect((await backend.getExecutions(["my execution"]))[0]?.jobId).toBe("job-1");
    });

    check("say that they are alive", async (backend) => {
      await backend.write(batchOf({ ...base, executions: [execution], jobs: [jobOf("root")] }));
      await backend.heartbeat(execution.id, 5000.5);
      await backend.heartbeat(idOf("unknown"), 6000);
      const [row, unknown] = await backend.getExecutions([execution.id, idOf("unknown")]);
      expect([row?.updatedTime, row?.startTime, unknown]).toEqual([5000.5, 1000, undefined]);
    });
  });

  describe("batches", () => {
    /** A record that fails when it is read. */
    const broken = {
      get id(): string {
        throw new Error("broken record");
      },
    } as JobRecord;

    check(
      "are stored wholly or not at all",
      async (backend) => {
        const call = callOf({ task: main, args: [one], value: two });
        const lists = {
          tasks: [main],
          values: [three],
          evaluations: [evaluationOf(call)],
          callNodes: [call],
          executions: [execution],
          jobs: [jobOf("root", { endTime: 2000 })],
        };
        let failure: unknown;
        try {
          await backend.write(batchOf({ ...lists, jobs: [...lists.jobs, broken] }));
        } catch (error) {
          failure = error;
        }
        expect((failure as Error).message).toBe("broken record");
        const ids = [main.hash, three.hash, call.callHash, execution.id, idOf("root")];
        expect(await backend.missing(ids)).toEqual(ids);
        // What was made known by the batch is forgotten with it.
        await backend.write(batchOf(lists));
        expect(await backend.missing(ids)).toEqual([]);
        expect((await backend.getCallNodes([call.callHash]))[0]?.valueHash).toBe(two.hash);
      },
      ["rollback"],
    );

    check("may be empty", async (backend) => {
      await backend.write(batchOf({}));
      expect(await backend.count({ type: "Value" })).toBe(0);
    });

    check("may have 40,000 records", async (backend) => {
      const calls: CallNodeRecord[] = [];
      for (let i = 0; i < 10_000; i++) {
        calls.push(callOf({ task: add, args: [valueRecord(i)], value: valueRecord(-1 - i) }));
      }
      const root = callOf({ task: main, value: one, children: calls });
      await backend.write(
        batchOf({
          tasks: [add, main],
          values: calls.map(({ value }) => value),
          evaluations: calls.map((call) => evaluationOf(call)),
          callNodes: [...calls, root],
          executions: [execution],
          jobs: [
            jobOf("root"),
            ...calls.map(({ callHash }, i) =>
              jobOf(`job ${i}`, { taskHash: add.hash, endTime: 2000 + i, cached: false, callHash }),
            ),
          ],
        }),
      );
      const counts = (["Execution", "Job", "CallNode", "Task", "Value"] as const).map((type) =>
        backend.count({ type }),
      );
      expect(await Promise.all(counts)).toEqual([1, 10_001, 10_001, 2, 20_002]);
      const rows = await backend.getCallNodes([root.callHash, calls[9_999]!.callHash]);
      expect(rows.map((row) => row?.children.length)).toEqual([10_000, 0]);
      expect(rows[0]?.children.at(-1)).toBe(calls[9_999]!.callHash);
      const jobs = await backend.getJobs(calls.map((_, i) => idOf(`job ${i}`)));
      expect(jobs.every((job, i) => job?.endTime === 2000 + i)).toBe(true);
    });

    checkLasting("outlive their process", async (backend, reopen) => {
      const file = fileOf("a.txt");
      const value = valueRecord([1], { subvalues: [file] });
      const call = callOf({ task: main, args: [one], value });
      const tag = tagOf("Job", idOf("root"), "note", { deep: [1] });
      await backend.write(
        batchOf({
          tasks: [main],
          executions: [execution],
          jobs: [jobOf("root", { callHash: call.callHash, endTime: 2000, cached: false })],
          callNodes: [call],
          tags: [tag],
        }),
      );
      const read = async (from: Backend): Promise<unknown> => ({
        values: await from.getValues([value.hash, file.hash]),
        calls: await from.getCallNodes([call.callHash]),
        executions: await from.getExecutions([execution.id]),
        jobs: await from.getJobs([idOf("root")]),
        tags: await from.getTags([idOf("root")]),
      });
      const before = await read(backend);
      expect(await read(await reopen())).toEqual(before);
    });
  });
}
