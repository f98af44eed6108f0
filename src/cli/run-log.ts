import type { JobInfo } from "../scheduler/events.ts";
import { logColors } from "./colors.ts";
import type { Output } from "./output.ts";
import type { RunSource } from "./run-source.ts";
import { statusTable } from "./status-table.ts";
import { commandLine, shortId } from "./text.ts";

/** Options of {@link logRun}. */
export interface RunLogOptions {
  /** Seconds without events after which the status table is shown; 0 for never. */
  readonly statusInterval: number;
  readonly ignoreWarnings: readonly string[];
}

const PAINT: Readonly<Record<string, (text: string) => string>> = {
  Run: logColors.green,
  Cached: logColors.cyan,
  Dryrun: logColors.yellow,
  Miss: logColors.yellow,
};

/** Writes what happens in a scheduler as log lines. @returns what stops it */
export function logRun(run: RunSource, output: Output, options: RunLogOptions): () => void {
  let latest = Date.now();
  const line = (action: string, job: JobInfo, rest = ""): void => {
    latest = Date.now();
    output.log(`${(PAINT[action] ?? String)(action.padEnd(6))} Job ${shortId(job.id)}:  ${job.call}${rest}`);
  };
  const stops: (() => void)[] = [];
  if (output.isOn("INFO")) {
    stops.push(
      run.on("execution-start", ({ executionId, args }) => {
        output.log(
          `Start Execution ${executionId}:  ${[args[0], commandLine(args)].filter(Boolean).join(" ")}`,
        );
      }),
      run.on("job-start", ({ job, executor }) => line("Run", job, ` on ${executor}`)),
      run.on("job-cached", ({ job }) => line("Cached", job)),
      run.on("job-miss", ({ job, reason, message }) => {
        line(reason === "dry-run" ? "Dryrun" : "Miss", job, message === "" ? "" : ` (${message})`);
      }),
      run.on("job-log", ({ job, line: text }) => {
        latest = Date.now();
        output.log(`Log    Job ${shortId(job.id)}:  ${text}`);
      }),
    );
  }
  stops.push(
    run.on("job-retry", ({ job, attempt, error }) => {
      output.log(
        `Retry  Job ${shortId(job.id)}:  ${job.call} after attempt ${attempt}: ${firstLine(error)}`,
        "WARN",
      );
    }),
    run.on("job-end", ({ job, status }) => {
      if (status === "FAILED")
        output.log(`${logColors.red("*** Reject")} Job ${shortId(job.id)}:  ${job.call}:`, "ERROR");
    }),
    run.on("warning", ({ code, message }) => {
      if (!options.ignoreWarnings.includes(code)) output.log(`Warning: ${message}`, "WARN");
    }),
    run.on("execution-end", ({ status, time, duration }) => {
      if (status === "DRYRUN") output.log("Dryrun: Additional jobs would run.");
      logStatus(run, output, time);
      output.log("");
      output.log(`Execution duration: ${(duration / 1000).toFixed(2)} seconds`);
    }),
  );
  if (options.statusInterval > 0 && output.isOn("INFO")) {
    const interval = options.statusInterval * 1000;
    const timer = setInterval(
      () => {
        if (Date.now() - latest < interval || output.live !== undefined) return;
        latest = Date.now();
        logStatus(run, output, latest);
      },
      Math.min(interval, 1000),
    );
    timer.unref?.();
    stops.push(() => clearInterval(timer));
  }
  return () => {
    for (const stop of stops) stop();
    output.flush();
  };
}

function logStatus(run: RunSource, output: Output, time: number): void {
  output.log("");
  for (const line of statusTable(run.status(), time)) output.log(line);
}

function firstLine(error: unknown): string {
  return String(error).split("\n", 1)[0]!;
}
