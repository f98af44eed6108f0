import { PoolExecutor } from "./pool-executor.ts";
import { webWorkerKind } from "./web-workers.ts";
import type { PackageSource } from "./worker-messages.ts";
import type { WorkerWatch } from "./worker-watch.ts";

export type { PackageContent, PackageSource } from "./worker-messages.ts";

/** Options of {@link WebWorkerExecutor}. */
export interface WebWorkerExecutorOptions {
  /** Default `worker`. */
  readonly name?: string;
  /** Most workers at once. Default: as many as the machine has processors. */
  readonly maxWorkers?: number;
  /** Address of the job worker's module, of this origin. Default: beside this module, as the npm package has it. */
  readonly url?: string | URL;
  /** Whether to share memory with workers, where the page is isolated from other origins. Default `true`. */
  readonly shareMemory?: boolean;
  /** Gives a code package by its hash. Each worker asks once for each that its jobs need. */
  readonly packages?: PackageSource;
  /** Gets a port of each worker, on which it asks for files that only its owner can reach. */
  readonly serveFiles?: (port: MessagePort) => void;
  /** Sees which worker runs which job. */
  readonly watch?: WorkerWatch;
  /** URLs of modules that define tasks without a code package. */
  readonly modules?: readonly string[];
}

/**
 * Runs jobs, scripts among them, in Web Workers of this page or worker. Workers are started when they are needed and kept until
 * {@link close}.
 *
 * What a job may reach is the network and the engine's file systems: its worker takes away the rest of what the site keeps
 * (IndexedDB, caches, other files on OPFS), broadcast channels, and further workers, before it loads any code.
 *
 * A job is called with what its worker knows: its code package, or the modules that the executor was given. A job that
 * is cancelled, or that ends its worker, does so alone; the jobs that wait for the same worker go to another. The one
 * thing that can't be kept from the others is a job that uses more memory than the browser gives a tab: it ends the tab.
 *
 * @example
 * ```ts no-check
 * const executor = new WebWorkerExecutor({ url: "/job-worker.js", packages: (hash) => store.package(hash) });
 * const scheduler = new Scheduler({ backend, executors: [executor] });
 * ```
 */
export class WebWorkerExecutor extends PoolExecutor {
  constructor(options: WebWorkerExecutorOptions = {}) {
    const { name = "worker", maxWorkers = navigator.hardwareConcurrency, modules = [] } = options;
    const { packages, serveFiles, watch, shareMemory = true, url = defaultUrl() } = options;
    const kind = webWorkerKind(
      new URL(url, globalThis.location?.href).href,
      shareMemory && globalThis.crossOriginIsolated,
      { serveFiles, watch },
    );
    super({ name, maxWorkers, modules, runScript: undefined, packages, kindOf: () => kind });
  }
}

/** The job worker as it was written, or in the built package, all of whose modules are in one folder. */
function defaultUrl(): URL {
  const here = import.meta.url;
  return /\.ts\b/.test(here) ? new URL("../job-worker.ts", here) : new URL("job-worker.js", here);
}
