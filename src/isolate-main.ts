/**
 * What runs in an isolate of Cloudflare's Worker Loader: loads the one code package that the isolate was made for, and
 * runs the jobs that it is sent.
 */

import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";
import { AsyncLocalStorage } from "node:async_hooks";
import { ExecutorError, SchedulerError } from "./errors/errors.ts";
import { describePackage as describeTasks } from "./executor/describe-package.ts";
import { toJobError } from "./executor/job-error.ts";
import { logInRemoteJob } from "./executor/run-job.ts";
import { formatMessage } from "./executors/capture-console.ts";
import { IsolateJobs, type IsolateJobsRuntime } from "./executors/isolate-jobs.ts";
import {
  type BatchControl,
  type BatchEnd,
  type BatchPort,
  type IsolateEntrypoint,
  type IsolateJob,
  type IsolateLimits,
  type SentText,
  type ToIsolate,
  toSent,
} from "./executors/isolate-messages.ts";
import { asksForHosts, type HostList, mayReach } from "./executors/network-rules.ts";
import { webScriptRunner } from "./executors/web-shell.ts";
import { registerFileSystem } from "./file/file-systems.ts";
import { type FilePort, RpcFileSystem } from "./file-systems/rpc.ts";
import "./index.ts";
import { withoutGuards } from "./package/guard-names.ts";
import { PACKAGE_MODULES, type PackageInfo } from "./package/isolate-names.ts";
import { type LoadedPackage, registerPackage } from "./package/loaded.ts";
import { packageUrl, placesBelow } from "./package/places.ts";
import { usePrecompiled } from "./package/precompiled-wasm.ts";
import { mapStacks } from "./package/stack-maps.ts";
import { beginTurn, limitTurns } from "./package/turn-guard.ts";

/** The batch whose code runs. */
const batches = new AsyncLocalStorage<BatchPort>();

registerFileSystem(
  new RpcFileSystem("r2", ["r2", "file"], () => {
    const port = batches.getStore();
    if (port === undefined) {
      throw new SchedulerError("Cannot use files here: no job is running", {
        hint: "Use files inside a task, not while its module is loaded.",
      });
    }
    return port as FilePort;
  }),
);

for (const method of ["debug", "log", "info", "warn", "error"] as const) {
  const original = console[method].bind(console);
  console[method] = (...args: unknown[]) => {
    const lines = formatMessage(...args).split("\n");
    if (!lines.map(logInRemoteJob).every(Boolean)) original(...args);
  };
}

/** Imports a module of this isolate, which no bundler can follow. */
const importModule = (name: string): Promise<Readonly<Record<string, unknown>>> => {
  const specifier = `./${name}`;
  return import(specifier);
};

/** An isolate for scripts has no package. */
async function load(): Promise<LoadedPackage | undefined> {
  const { default: content } = await importModule(PACKAGE_MODULES.info);
  if (content === null) return undefined;
  const { hash, manifest, guard, wasm } = content as PackageInfo;
  const { default: map } = await importModule(PACKAGE_MODULES.map);
  if (map !== "") {
    const place = placesBelow(manifest.entry);
    mapStacks(packageUrl(hash), map as string, (source) => place(source).url);
  }
  guardNetwork(manifest.network);
  const compiled = Object.entries(wasm).map(
    async ([name, of]) => [of, (await importModule(name)).default as WebAssembly.Module] as const,
  );
  usePrecompiled(new Map(await Promise.all(compiled)));
  return await registerPackage(
    { hash, manifest },
    () => importModule(PACKAGE_MODULES.code),
    guard && ((text) => withoutGuards(text, guard)),
  );
}

/** Hosts that the operator allows. */
let allowed: HostList | false = false;

/** Says why a request can't be made, and how it could be; whoever owns the isolate is the one who refuses it. */
function guardNetwork(wanted: HostList | undefined): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (!asksForHosts(wanted)) throw refused(url, "the workflow does not ask for the network", ASK);
    if (allowed === false)
      throw refused(url, "the operator of this instance does not allow the network", ADMIT);
    if (!mayReach(url, [wanted])) throw refused(url, "the workflow does not ask for this host", ASK);
    if (!mayReach(url, [allowed]))
      throw refused(url, "the operator of this instance does not allow this host", ADMIT);
    return await fetch(request);
  };
}

const ASK =
  'Export its hosts from the entry of the workflow: export const redunNetwork = ["api.example.org", "*.example.org"].';
const ADMIT = "Ask the operator to add the host, or run the workflow on another executor.";

function refused(url: URL, state: string, hint: string): ExecutorError {
  return new ExecutorError(`Cannot fetch ${url.origin}: ${state}`, { hint, fields: { host: url.host } });
}

let loading: Promise<LoadedPackage | undefined> | undefined;

function loaded(): Promise<LoadedPackage | undefined> {
  loading ??= load();
  return loading;
}

/** The cache of responses may be one for all isolates; no code of a workflow is to reach it. */
function withholdCache(): void {
  const scope = globalThis as unknown as Record<string, { prototype?: object } | undefined>;
  for (const name of ["Cache", "CacheStorage"]) {
    const prototype = scope[name]?.prototype;
    for (const key of Object.getOwnPropertyNames(prototype ?? {}))
      delete (prototype as Record<string, unknown>)[key];
    delete scope[name];
  }
  delete scope.caches;
}

withholdCache();

class Control extends RpcTarget implements BatchControl {
  readonly #hear: (messages: readonly ToIsolate[]) => void;

  constructor(hear: (messages: readonly ToIsolate[]) => void) {
    super();
    this.#hear = hear;
  }

  async tell(messages: readonly ToIsolate[]): Promise<void> {
    this.#hear(messages);
  }
}

const runtime: IsolateJobsRuntime = {
  runScript: webScriptRunner(),
  beginTurn,
  control: (hear) => new Control(hear),
};

export class Runtime extends WorkerEntrypoint implements IsolateEntrypoint {
  async describe(): Promise<{ ok: boolean; text: SentText }> {
    try {
      const pkg = await loaded();
      return { ok: true, text: toSent(JSON.stringify(describeTasks(pkg?.tasks ?? []))) };
    } catch (error) {
      return { ok: false, text: toSent(JSON.stringify(toJobError(error))) };
    }
  }

  async run(jobs: readonly IsolateJob[], limits: IsolateLimits, port: BatchPort): Promise<BatchEnd> {
    limitTurns(limits.turnMs);
    allowed = limits.allowNetwork;
    try {
      await loaded();
    } catch (error) {
      return { loadError: JSON.stringify(toJobError(error)) };
    }
    const batch = new IsolateJobs(port, limits, runtime);
    try {
      return { messages: await batches.run(port, () => batch.run(jobs)) };
    } finally {
      beginTurn();
    }
  }
}
