import type { JobSpec, JobTimings } from "../executor/executor.ts";
import type { HostList } from "./network-rules.ts";

/**
 * What an isolate and the object that owns it say to each other. A batch of jobs is one call of `run`, which lasts until
 * each of them has ended; meanwhile both sides send lists of messages, many at a time.
 *
 * @module
 */

/** Text, in UTF-8 where it is long: the runtime's RPC counts bytes, and has two for a character otherwise. */
export type SentText = string | Uint8Array;

/** A job as it goes to an isolate. It is known by its place in the list. */
export interface IsolateJob {
  readonly spec: Omit<JobSpec, "args" | "options">;
  readonly args: SentText;
  /** Whether it may await expressions. */
  readonly canEvaluate: boolean;
  /** Milliseconds that it may take, if that is limited. */
  readonly timeout: number | undefined;
}

/** How a job ended in its isolate. */
export type IsolateResult =
  | { readonly ok: true; readonly value: SentText; readonly timings: JobTimings | undefined }
  /** `error` is the JSON of a `JobError`. */
  | { readonly ok: false; readonly error: SentText; readonly timings: JobTimings | undefined };

/** What an isolate says of the jobs of a batch. */
export type FromIsolate =
  | { readonly type: "result"; readonly job: number; readonly result: IsolateResult }
  | { readonly type: "log"; readonly job: number; readonly lines: readonly string[] }
  | {
      readonly type: "evaluate";
      readonly job: number;
      readonly id: number;
      readonly expression: SentText;
    };

/** What an isolate is told about the jobs of a batch. */
export type ToIsolate =
  | { readonly type: "cancel"; readonly job: number }
  /** `outcome` is the JSON of an `Evaluated`. */
  | { readonly type: "evaluated"; readonly id: number; readonly outcome: SentText };

/** The batch as its isolate sees it. */
export interface BatchPort {
  /** @param control - comes with the first message that leaves a job unfinished */
  tell(messages: readonly FromIsolate[], control?: BatchControl): Promise<void>;
  /** Reaches the files of the owner. */
  call(operation: string, args: readonly unknown[]): Promise<unknown>;
}

/** The batch as its owner sees it. */
export interface BatchControl {
  tell(messages: readonly ToIsolate[]): Promise<void>;
}

/** What a batch ends with: the last messages, or the JSON of the error why its package can't be loaded. */
export type BatchEnd = { readonly messages: readonly FromIsolate[] } | { readonly loadError: string };

/** The entrypoint of an isolate, named `Runtime`. */
export interface IsolateEntrypoint {
  /** @returns the JSON of a `PackageDescription` or of a `JobError` */
  describe(): Promise<{ readonly ok: boolean; readonly text: SentText }>;
  run(jobs: readonly IsolateJob[], limits: IsolateLimits, port: BatchPort): Promise<BatchEnd>;
}

/** What jobs of an isolate may use. */
export interface IsolateLimits {
  /** Bytes of an encoded result, and of an expression that is awaited. */
  readonly maxValueBytes: number;
  /** Milliseconds of computing without a pause, where the code of packages is guarded. */
  readonly turnMs: number;
  /** Hosts that the operator lets packages reach which ask for them. */
  readonly allowNetwork: HostList | false;
}

/** The modules of an isolate's runtime, built from `src/isolate-main.ts`. */
export interface IsolateRuntime {
  /** Hash of all modules. */
  readonly hash: string;
  /** Name of the module that the isolate begins with. */
  readonly main: string;
  /** Texts of ES modules by name. */
  readonly modules: Readonly<Record<string, string>>;
  /** More of them, for isolates that run scripts. */
  readonly shell: Readonly<Record<string, string>>;
}

/** Most characters of a text that is sent as it is. */
const SHORT = 20_000;

export function toSent(text: string): SentText {
  return text.length <= SHORT ? text : new TextEncoder().encode(text);
}

/** @throws TypeError if what came is no text */
export function fromSent(sent: unknown): string {
  if (typeof sent === "string") return sent;
  if (sent instanceof Uint8Array)
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(sent);
  throw new TypeError("What came is no text");
}

/** Bytes that a text takes on the way, at most. */
export function sentSize(sent: SentText): number {
  return typeof sent === "string" ? 2 * sent.length : sent.length;
}
