import { describe, expect, test } from "vitest";
import type { Job } from "../../web/state/execution.ts";
import { type Lanes, lanesOf } from "../../web/state/lanes.ts";

const job = (id: string, startTime: number, endTime: number | undefined, more: Partial<Job> = {}): Job => ({
  id,
  parentId: null,
  task: "t",
  call: undefined,
  status: endTime === undefined ? "RUNNING" : "DONE",
  startTime,
  endTime,
  callHash: undefined,
  executor: undefined,
  worker: undefined,
  ran: undefined,
  children: [],
  ...more,
});

/** Ids of the jobs in each lane, spans apart from each other. */
const drawn = ({ lanes }: Lanes): Record<string, string> =>
  Object.fromEntries(
    lanes.map(({ name, spans }) => [
      name,
      spans.map(({ jobs }) => jobs.map(({ id }) => id).join("")).join(" "),
    ]),
  );

describe("lanes", () => {
  test("are the workers that ran the jobs, by the time of their functions, and the engine's own", () => {
    const ran = (started: number, ended: number) => ({ started, ended });
    const lanes = lanesOf(
      [
        job("a", 0, 100, { worker: 2, ran: ran(1, 5) }),
        job("b", 0, 100, { worker: 1, ran: ran(2, 50) }),
        job("c", 0, 100, { worker: 2, ran: ran(5, 9) }),
        job("d", 90, undefined, { worker: 1 }),
        job("e", 10, 80),
        job("f", 20, 30),
      ],
      120,
      1,
    );
    expect(lanes.areWorkers).toBe(true);
    expect(drawn(lanes)).toEqual({ "Worker 1": "b d", "Worker 2": "a c", "Engine 1": "e", "Engine 2": "f" });
    expect(lanes.lanes.map(({ busy }) => busy)).toEqual([48 + 30, 8, 70, 10]);
    expect(lanes.lanes[1]!.spans[0]).toMatchObject({ from: 1, to: 5 });
  });

  test("are packed by time where no worker is known", () => {
    const lanes = lanesOf([job("a", 0, 10), job("b", 2, 4), job("c", 5, 8), job("d", 10, 12)], 12, 0.1);
    expect(lanes.areWorkers).toBe(false);
    expect(drawn(lanes)).toEqual({ "Lane 1": "a d", "Lane 2": "b c" });
  });

  test("draw what is too short to be told apart as one", () => {
    const many = Array.from({ length: 10_000 }, (_, i) =>
      job(String(i), i, i + 1, { worker: 1, ran: { started: i, ended: i + 1 } }),
    );
    const { lanes } = lanesOf(many, 10_000, 10_000 / 700);
    expect(lanes[0]!.jobs).toBe(10_000);
    expect(lanes[0]!.spans.length).toBeLessThan(800);
    expect(lanes[0]!.spans.reduce((sum, { jobs }) => sum + jobs.length, 0)).toBe(10_000);
    const long = lanesOf([job("a", 0, 500), job("b", 500, 501), job("c", 501, 900)], 1000, 2);
    expect(drawn(long)["Lane 1"]).toBe("a b c");
  });
});
