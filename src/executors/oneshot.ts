import { prepareCommand } from "../builtins/script-command.ts";
import { ExecutorError, ScriptError } from "../errors/errors.ts";
import type { JobResult, JobSpec } from "../executor/executor.ts";
import { toJobError } from "../executor/job-error.ts";
import { File } from "../file/file.ts";
import { joinPath } from "../file/path.ts";
import { shellCopy } from "../file/shell.ts";
import { leaves } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { decodeValue, encodeValue } from "../value/value.ts";

/**
 * A job as files, for places that are told no more than a command line. They lie under `jobs/<evalHash>/` of a scratch
 * prefix, so that a restarted scheduler finds what an earlier one began. Each is written all or nothing.
 */
export interface JobFiles {
  /** Of a function: the encoded list of arguments. Of a script: its text. */
  readonly input: File;
  /** Of a function: the encoded result. Of a script: its stdout. */
  readonly output: File;
  /** Of a function: the encoded error. Of a script: its stderr. */
  readonly error: File;
  readonly log: File;
  /** Of a script: `ok` or `fail`, once it has ended. */
  readonly status: File;
}

/** The files of a job. @param scratch - a path or URL that the scheduler and the job both reach */
export function jobFiles(scratch: string, evalHash: string): JobFiles {
  const file = (name: string): File => new File(joinPath(joinPath(scratch, `jobs/${evalHash}`), name));
  return {
    input: file("input"),
    output: file("output"),
    error: file("error"),
    log: file("log"),
    status: file("status"),
  };
}

/** Writes a job's input. What an earlier attempt has left is removed, unless the job may use it. */
export async function writeJob(files: JobFiles, spec: JobSpec): Promise<void> {
  const old = [files.error, files.status, ...(spec.reuse ? [] : [files.output])];
  await Promise.all(old.map((file) => file.remove()));
  await files.input.write(spec.script === undefined ? spec.args : prepareCommand(spec.script));
}

/**
 * The result that a job has left, or `undefined` if there is none that still describes the world.
 *
 * @param spec - says whether it is a script
 */
export async function readResult(files: JobFiles, spec: JobSpec): Promise<JobResult | undefined> {
  if (spec.script !== undefined) {
    if (!(await files.status.exists()) || (await files.status.text()).trim() !== "ok") return undefined;
    return { ok: true, value: encodeValue(await files.output.bytes()).text };
  }
  if (!(await files.output.exists())) return undefined;
  const value = await files.output.text();
  try {
    return (await isValid(decodeValue(value))) ? { ok: true, value } : undefined;
  } catch {
    // A damaged output is computed again.
    return undefined;
  }
}

async function isValid(value: unknown): Promise<boolean> {
  for (const leaf of leaves(value)) {
    if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
    if (!((await codecOf(leaf)?.isValid?.(leaf)) ?? true)) return false;
  }
  return true;
}

/** The failure that a job has left. Where there is no trace of one, the result says so. */
export async function readFailure(files: JobFiles, spec: JobSpec): Promise<JobResult & { ok: false }> {
  return { ok: false, error: toJobError(await findFailure(files, spec)) };
}

async function findFailure(files: JobFiles, spec: JobSpec): Promise<unknown> {
  const fields = { task: spec.task, path: files.error.path };
  if (!(await files.error.exists())) {
    return new ExecutorError(`Cannot finish ${spec.task}: it left neither a result nor an error`, {
      hint: "Its place may have ended it; see its log.",
      fields,
    });
  }
  const text = await files.error.text();
  if (spec.script !== undefined) return new ScriptError(text, 1);
  try {
    const value = decodeValue(text);
    return value instanceof Error ? value : ((value as { error?: unknown } | null)?.error ?? value);
  } catch (cause) {
    return new ExecutorError(`Cannot read the error of ${spec.task} in ${files.error.path}`, {
      hint: "See the job's log.",
      fields,
      cause,
    });
  }
}

/** What a remote command needs to know besides the job's files. */
export interface OneshotOptions {
  /** Path of the workflow's script. */
  readonly workflow: string;
  /** Path of the code package, in place of building the workflow. */
  readonly code?: string;
  readonly importPaths?: readonly string[];
}

/** The words of the command that runs a function job by its files. */
export function oneshotCommand(files: JobFiles, spec: JobSpec, options: OneshotOptions): string[] {
  return [
    "redun",
    "oneshot",
    ...(options.importPaths ?? []).flatMap((path) => ["--import-path", path]),
    ...(options.code === undefined ? [] : ["--code", options.code]),
    ...(spec.reuse ? [] : ["--no-cache"]),
    ...["--input", files.input.path, "--output", files.output.path, "--error", files.error.path],
    options.workflow,
    spec.task,
  ];
}

/**
 * A bash script that runs a script job by its files: its output is shown as well as kept, also if it fails.
 *
 * @returns a script whose exit code is 0 if the job's was, else 1
 */
export function scriptJobCommand(files: JobFiles): string {
  const keep = (name: string, file: File): string => `${shellCopy(null, file.path)} < "$REDUN_JOB/${name}"`;
  const ended = (status: string): string[] => [
    `  ${keep("output", files.output)}`,
    `  ${keep("error", files.error)}`,
    `  echo ${status} > "$REDUN_JOB/status"`,
    `  ${keep("status", files.status)}`,
  ];
  return [
    "#!/usr/bin/env bash",
    "set -o pipefail",
    "REDUN_JOB=$(mktemp -d)",
    "trap 'rm -rf \"$REDUN_JOB\"' EXIT",
    `${shellCopy(files.input.path, null)} > "$REDUN_JOB/command" || exit 1`,
    'chmod +x "$REDUN_JOB/command"',
    // The streams change places on the way, so that each passes through a copy of its own.
    'if ( "$REDUN_JOB/command" | tee "$REDUN_JOB/output" ) 3>&1 1>&2 2>&3 | tee "$REDUN_JOB/error"; then',
    ...ended("ok"),
    "else",
    ...ended("fail"),
    "  exit 1",
    "fi",
    "",
  ].join("\n");
}
