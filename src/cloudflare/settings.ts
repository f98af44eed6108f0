import type {
  D1Database,
  DurableObjectNamespace,
  Fetcher,
  R2Bucket,
  WorkerLoader,
} from "@cloudflare/workers-types";
import {
  count,
  type InstanceSettings,
  listOf,
  malformed,
  readInstanceSettings,
  type SettingsSource,
} from "../server/settings.ts";

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
  /** Most seconds that code computes without a pause, where the platform doesn't end it. */
  readonly REDUN_MAX_TURN_SECONDS?: string | number;
  /** Largest body of a request, in bytes. */
  readonly REDUN_MAX_BODY?: string | number;
  /** Most streams of events of a repository that are open at once. */
  readonly REDUN_MAX_STREAMS?: string | number;
  /** Most of them that one token has open. */
  readonly REDUN_MAX_TOKEN_STREAMS?: string | number;
  /** Most bytes that files take which clients send to a repository. */
  readonly REDUN_MAX_UPLOADS?: string | number;
  /** After so many days without being asked for, such a file goes that no record is about. */
  readonly REDUN_UPLOAD_DAYS?: string | number;
}

/** What the variables say. What is left out has its default where it is used. */
export interface WorkerSettings extends InstanceSettings {
  readonly allowNetwork: boolean | readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly maxJobMs: number | undefined;
  readonly turnMs: number | undefined;
}

type Variable = Extract<keyof WorkerEnv, `REDUN_${string}`>;

/** Reads the variables. @throws ApiError with the code `settings` if one is malformed */
export function readSettings(env: WorkerEnv): WorkerSettings {
  const variable = (name: string): Variable => `REDUN_${name.toUpperCase()}` as Variable;
  const source: SettingsSource = {
    get: (name) => env[variable(name)],
    nameOf: (name) => `the variable ${variable(name)}`,
  };
  const network = listOf(source, "allow_network");
  const milliseconds = (name: string): number | undefined => {
    const seconds = count(source, name);
    return seconds === undefined ? undefined : seconds * 1000;
  };
  return {
    ...readInstanceSettings(source),
    allowNetwork: network.includes("all") ? true : network.length === 0 ? false : hosts(source, network),
    limits: Object.fromEntries(listOf(source, "limits").map((text) => limit(source, text))),
    maxJobMs: milliseconds("max_job_seconds"),
    turnMs: milliseconds("max_turn_seconds"),
  };
}

function hosts(source: SettingsSource, list: readonly string[]): readonly string[] {
  for (const host of list) {
    if (!/^(\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(host))
      throw malformed(source, "allow_network", host, "Name hosts, such as api.example.org or *.example.org.");
  }
  return list;
}

function limit(source: SettingsSource, text: string): [string, number] {
  const [, name, most] = /^([^=]+)=(\d+)$/.exec(text) ?? [];
  if (name === undefined) throw malformed(source, "limits", text, "Write NAME=NUMBER, such as db=2.");
  return [name.trim(), Number(most)];
}
