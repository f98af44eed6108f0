import type {
  D1Database,
  DurableObjectNamespace,
  Fetcher,
  R2Bucket,
  WorkerLoader,
} from "@cloudflare/workers-types";
import { ApiError } from "../server/api-error.ts";

/** Bindings and variables of a hosted instance, as `wrangler.toml` declares them. Lists are separated by commas. */
export interface WorkerEnv {
  /** Namespace of `RepoObject`. */
  readonly REPOS: DurableObjectNamespace;
  /** The directory: repositories, tokens, sessions, and the index of executions. */
  readonly DB: D1Database;
  /** Large values and the files of workflows. */
  readonly BUCKET: R2Bucket;
  /** Makes the isolates that user code runs in. */
  readonly LOADER: WorkerLoader;
  /** The built web app. Without it only the API is served. */
  readonly ASSETS?: Fetcher;
  /** Hosts that workflows may reach if their packages ask for them, such as `api.example.org,*.example.com`, or `all`. */
  readonly REDUN_ALLOW_NETWORK?: string;
  /** Origins of other sites that may use the API from a browser. */
  readonly REDUN_CORS_ORIGINS?: string;
  /** Most jobs at a time by the names of limits, such as `db=2,api=10`. */
  readonly REDUN_LIMITS?: string;
  /** Most executions of a repository at work at once. */
  readonly REDUN_MAX_RUNNING?: string | number;
  /** Most executions of a repository that wait; more are refused. */
  readonly REDUN_MAX_QUEUED?: string | number;
  /** Most seconds that a job runs, not counting those in which it waits for others. */
  readonly REDUN_MAX_JOB_SECONDS?: string | number;
  /** Largest body of a request, in bytes. */
  readonly REDUN_MAX_BODY?: string | number;
}

/** What the variables say. What is left out has its default where it is used. */
export interface WorkerSettings {
  readonly allowNetwork: boolean | readonly string[];
  readonly corsOrigins: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly maxRunning: number | undefined;
  readonly maxQueued: number | undefined;
  readonly maxJobMs: number | undefined;
  readonly maxBody: number | undefined;
}

type Variable = Extract<keyof WorkerEnv, `REDUN_${string}`>;

/** Reads the variables. @throws ApiError with the code `settings` if one is malformed */
export function readSettings(env: WorkerEnv): WorkerSettings {
  const network = listOf(env.REDUN_ALLOW_NETWORK);
  const jobSeconds = count(env, "REDUN_MAX_JOB_SECONDS");
  return {
    allowNetwork: network.includes("all") ? true : network.length === 0 ? false : hosts(network),
    corsOrigins: listOf(env.REDUN_CORS_ORIGINS).map(origin),
    limits: Object.fromEntries(listOf(env.REDUN_LIMITS).map(limit)),
    maxRunning: count(env, "REDUN_MAX_RUNNING"),
    maxQueued: count(env, "REDUN_MAX_QUEUED"),
    maxJobMs: jobSeconds === undefined ? undefined : jobSeconds * 1000,
    maxBody: count(env, "REDUN_MAX_BODY"),
  };
}

const listOf = (text = ""): string[] => text.split(",").flatMap((item) => item.trim() || []);

function hosts(list: readonly string[]): readonly string[] {
  for (const host of list) {
    if (!/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(host))
      throw malformed("REDUN_ALLOW_NETWORK", host, "Name hosts, such as api.example.org or *.example.org.");
  }
  return list;
}

function origin(text: string): string {
  if (URL.canParse(text) && new URL(text).origin === text) return text;
  throw malformed("REDUN_CORS_ORIGINS", text, "Name origins, such as https://app.example.org.");
}

function limit(text: string): [string, number] {
  const [, name, most] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined) throw malformed("REDUN_LIMITS", text, "Write NAME=NUMBER, such as db=2.");
  return [name.trim(), Number(most)];
}

function count(env: WorkerEnv, name: Variable): number | undefined {
  const text = env[name];
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw malformed(name, String(text), "Write a whole number above 0.");
}

function malformed(name: Variable, text: string, hint: string): ApiError {
  const message = `Cannot read the variable ${name}: ${JSON.stringify(text)} is malformed`;
  return new ApiError(500, "settings", message, { hint });
}
