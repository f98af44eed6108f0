import type { JobCounts } from "../scheduler/events.ts";
import { logColors as colors } from "./colors.ts";
import type { Output } from "./output.ts";
import type { RunSource } from "./run-source.ts";
import { totals } from "./status-table.ts";
import { duration, plural, terminalText } from "./text.ts";

/** A run that ends sooner needs no progress, in milliseconds. */
const PATIENCE = 300;
const INTERVAL = 120;
const FRAMES = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** Tasks shown with a line of their own. */
const MOST_TASKS = 6;

/** Shows the numbers of jobs below the log lines while a run lasts. @returns what takes them away */
export function showProgress(run: RunSource, output: Output): () => void {
  const start = Date.now();
  let stopped = false;
  let timer: ReturnType<typeof setInterval> | undefined;
  const begin = async (): Promise<void> => {
    const { createLogUpdate } = await import("log-update");
    if (stopped) return;
    const area = createLogUpdate(process.stderr);
    let frame = 0;
    const draw = (): void => {
      const width = process.stderr.columns ?? 80;
      const lines = progressText(run.status(), Date.now() - start, FRAMES[frame]!, width);
      area(terminalText(lines.join("\n")));
    };
    output.live = { clear: () => area.clear(), draw };
    timer = setInterval(() => {
      frame = (frame + 1) % FRAMES.length;
      draw();
    }, INTERVAL);
    timer.unref?.();
    draw();
    finish = () => {
      area.clear();
      area.done();
    };
  };
  let finish = (): void => {};
  const wait = setTimeout(() => void begin(), PATIENCE);
  wait.unref?.();
  return () => {
    stopped = true;
    clearTimeout(wait);
    clearInterval(timer);
    output.live = undefined;
    finish();
  };
}

/** The progress as lines: one of sums, then one for each of the busiest tasks. */
export function progressText(
  counts: ReadonlyMap<string, JobCounts>,
  elapsed: number,
  frame: string,
  width: number,
): string[] {
  const sum = totals(counts);
  const all = sum.PENDING + sum.RUNNING + sum.FAILED + sum.CACHED + sum.DONE;
  const finished = sum.DONE + sum.CACHED + sum.FAILED;
  const head = [
    `${colors.cyan(frame)} ${duration(elapsed).replace(/\.\d+$/, "")}`,
    `${finished.toLocaleString("en")} of ${plural(all, "job")}`,
    ...parts(sum),
  ].join("  ");
  const busy = [...counts]
    .filter(([, row]) => row.RUNNING + row.PENDING > 0)
    .sort(([a, x], [b, y]) => y.RUNNING - x.RUNNING || y.PENDING - x.PENDING || (a < b ? -1 : 1));
  const shown = busy.slice(0, MOST_TASKS);
  const nameWidth = Math.min(Math.max(0, ...shown.map(([name]) => name.length)), Math.max(10, width - 50));
  const lines = shown.map(
    ([name, row]) => `    ${cut(name, nameWidth).padEnd(nameWidth)}  ${parts(row).join("  ")}`,
  );
  if (busy.length > shown.length)
    lines.push(colors.dim(`    and ${plural(busy.length - shown.length, "more task")}`));
  return [head, ...lines];
}

function parts(row: JobCounts): string[] {
  const part = (count: number, word: string, paint: (text: string) => string): string[] =>
    count === 0 ? [] : [paint(`${count.toLocaleString("en")} ${word}`)];
  return [
    ...part(row.FAILED, "failed", colors.red),
    ...part(row.RUNNING, "running", colors.yellow),
    ...part(row.PENDING, "pending", colors.dim),
    ...part(row.CACHED, "cached", colors.cyan),
    ...part(row.DONE, "done", colors.green),
  ];
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `…${text.slice(text.length - width + 1)}`;
}
