/** Jobs laid out in lanes, no two of a lane at the same time. */
import type { Job } from "./execution.ts";

/** A job, or several that are too close together to be told apart. */
export interface Span {
  readonly jobs: readonly Job[];
  /** Milliseconds since the epoch. */
  readonly from: number;
  to: number;
}

/** A line of the timeline. */
export interface Lane {
  readonly name: string;
  readonly spans: readonly Span[];
  readonly jobs: number;
  /** Milliseconds in which something ran. */
  readonly busy: number;
}

/** What lanes stand for. */
export interface Lanes {
  /** Whether they are the workers that ran the jobs, as far as these ran in any. Otherwise jobs are packed by time. */
  readonly areWorkers: boolean;
  readonly lanes: readonly Lane[];
}

interface Interval {
  readonly job: Job;
  readonly from: number;
  readonly to: number;
}

/** More lanes than these tell nothing more. */
const MOST_PACKED = 40;

/**
 * Lays out jobs that began.
 *
 * @param now - how far jobs at work reach, in milliseconds since the epoch
 * @param grain - milliseconds that are too short to be seen
 */
export function lanesOf(jobs: readonly Job[], now: number, grain: number): Lanes {
  const areWorkers = jobs.some(({ worker }) => worker !== undefined);
  const workers = new Map<number, Interval[]>();
  const others: Interval[] = [];
  for (const job of jobs) {
    const { worker, ran, status } = job;
    const interval: Interval = {
      job,
      from: ran?.started ?? job.startTime!,
      to: ran?.ended ?? job.endTime ?? (status === "RUNNING" ? now : job.startTime!),
    };
    if (worker === undefined) others.push(interval);
    else {
      const list = workers.get(worker);
      if (list === undefined) workers.set(worker, [interval]);
      else list.push(interval);
    }
  }
  const lanes = [...workers]
    .sort(([a], [b]) => a - b)
    .map(([worker, intervals]) => laneOf(`Worker ${worker}`, intervals, grain));
  const packed = pack(others);
  const name = (i: number): string =>
    areWorkers ? `Engine${packed.length > 1 ? ` ${i + 1}` : ""}` : `Lane ${i + 1}`;
  for (const [i, intervals] of packed.entries()) lanes.push(laneOf(name(i), intervals, grain));
  return { areWorkers, lanes };
}

/** Puts each into the first lane that is free. */
function pack(intervals: readonly Interval[]): Interval[][] {
  const lanes: Interval[][] = [];
  const ends: number[] = [];
  for (const interval of [...intervals].sort((a, b) => a.from - b.from)) {
    let free = ends.findIndex((end) => end <= interval.from);
    if (free < 0) free = Math.min(lanes.length, MOST_PACKED - 1);
    ends[free] = Math.max(ends[free] ?? 0, interval.to);
    if (lanes[free] === undefined) lanes[free] = [];
    lanes[free]!.push(interval);
  }
  return lanes;
}

function laneOf(name: string, intervals: readonly Interval[], grain: number): Lane {
  const spans: (Span & { jobs: Job[] })[] = [];
  let [busy, reached] = [0, Number.NEGATIVE_INFINITY];
  for (const { job, from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    busy += Math.max(0, to - Math.max(from, reached));
    reached = Math.max(reached, to);
    const last = spans.at(-1);
    const isTiny = to - from < grain;
    // A few such at a time, so that gaps between others stay in sight.
    const joins = isTiny && last !== undefined && from - last.to < grain && last.to - last.from < 3 * grain;
    if (joins) {
      last.jobs.push(job);
      last.to = Math.max(last.to, to);
    } else spans.push({ jobs: [job], from, to });
  }
  return { name, spans, jobs: intervals.length, busy };
}
