import { captureConsole } from "../executors/capture-console.ts";
import { WebWorkerExecutor } from "../executors/web-worker-executor.ts";
import { WorkerWatch } from "../executors/worker-watch.ts";
import { registerHttpFileSystem } from "../file-systems/http.ts";
import { registerMemoryFileSystem } from "../file-systems/memory.ts";
import { openOpfsFolder, registerOpfsFileSystem } from "../file-systems/opfs.ts";
import { registerPickedFileSystem } from "../file-systems/picked.ts";
import { servePicked } from "../file-systems/picked-port.ts";
import { type Esbuild, provideEngine, webEsbuild } from "../package/index.ts";
import { logInCurrentJob } from "../scheduler/scheduler.ts";
import { setSha512 } from "../value/hash.ts";
import { confine } from "./confine.ts";
import type { EngineEvent } from "./engine-api.ts";
import { HostedFiles } from "./engine-files.ts";
import { EngineHost } from "./engine-host.ts";
import { EngineState } from "./engine-state.ts";
import { bestStore, loadStore, makeStore } from "./open-store.ts";
import { PickedFiles } from "./picked-files.ts";
import type { StartMessage } from "./start-message.ts";
import { TabExecutor } from "./tab-executor.ts";
import { channelName, offerEngine } from "./transport.ts";

/** Starts the engine of a repository in this worker. @returns what ends it */
export async function startHost(
  { repo, engine, version, workers, store, urls }: StartMessage,
  modules: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): Promise<() => Promise<void>> {
  const channel = new BroadcastChannel(channelName(repo));
  await useFastHash();
  captureLogs();
  provideEngine(modules);
  registerHttpFileSystem();
  registerMemoryFileSystem();
  const files = registerOpfsFileSystem({ schemes: ["opfs", "file"], directory: openOpfsFolder() });
  const kind = store ?? bestStore();
  const backend = makeStore(kind, repo);
  await loadStore(backend);
  const state = new EngineState(repo);
  const picked = new PickedFiles(state);
  await picked.open();
  registerPickedFileSystem(picked);
  const watch = new WorkerWatch();
  const pool = new WebWorkerExecutor({
    watch,
    maxWorkers: workers,
    ...(urls.job === undefined ? {} : { url: urls.job }),
    packages: async (hash) => (await state.package(hash))!,
    serveFiles: (port) => servePicked(picked, port),
  });
  let esbuild: Promise<Esbuild> | undefined;
  const startEsbuild = (): Promise<Esbuild> => {
    esbuild ??= webEsbuild(urls.esbuild).catch((error: unknown) => {
      // What could not be loaded just now, such as without a network, may be the next time.
      if (confined === undefined) esbuild = undefined;
      throw error;
    });
    return esbuild;
  };
  let confined: Promise<void> | undefined;
  let emit: (events: readonly EngineEvent[]) => void = () => {};
  const host = new EngineHost({
    repo,
    version,
    store: kind,
    backend,
    // The pool has the names that workflows for the command line use as well.
    executors: { default: new TabExecutor(pool), worker: pool, process: pool },
    workers,
    watch,
    state,
    esbuild: startEsbuild,
    confine: () => {
      // esbuild runs in a worker of its own, which can't be started afterwards.
      confined ??= untilWorker(startEsbuild).then(confine);
      return confined;
    },
    emit: (events) => emit(events),
  });
  // Pages may ask at once for what the last engine left unfinished.
  await host.open();
  const offer = offerEngine(channel, engine, host, new HostedFiles(files, picked));
  emit = offer.emit;
  return async () => {
    emit = () => {};
    offer.close();
    await host.close();
  };
}

/** Has something start a worker, and waits until it has, or has failed. What the worker then loads comes later. */
async function untilWorker(start: () => Promise<unknown>): Promise<void> {
  const { Worker } = globalThis;
  const started = Promise.withResolvers<void>();
  globalThis.Worker = function startWorker(url: string | URL, options?: WorkerOptions): Worker {
    started.resolve();
    return new Worker(url, options);
  } as unknown as typeof Worker;
  try {
    await Promise.race([started.promise, start().catch(() => {})]);
  } finally {
    globalThis.Worker = Worker;
  }
}

/** What functions beside the scheduler print is for their jobs' logs; what is the engine's own goes on to the console. */
function captureLogs(): void {
  const show = console.log.bind(console);
  captureConsole((line) => {
    if (!logInCurrentJob(line)) show(line);
  });
}

/** SHA-512 in WebAssembly takes half the time of JavaScript's. */
async function useFastHash(): Promise<void> {
  const { createSHA512 } = await import("hash-wasm");
  const hasher = await createSHA512();
  const utf8 = new TextEncoder();
  const scratch = new Uint8Array(1 << 16);
  setSha512((data) => {
    let bytes = data;
    if (typeof data === "string") {
      // No character takes more than three bytes for each of its units.
      bytes =
        data.length * 3 > scratch.length
          ? utf8.encode(data)
          : scratch.subarray(0, utf8.encodeInto(data, scratch).written);
    }
    return hasher.init().update(bytes).digest("hex");
  });
}
