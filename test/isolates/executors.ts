import * as workers from "cloudflare:workers";
import contract from "package:contract";
import runtime from "isolate-runtime";
import type { ExecutorContext, JobResult, JobSpec } from "../../src/executor/executor.ts";
import type { IsolateLoader } from "../../src/executors/isolate.ts";
import type { HostList } from "../../src/executors/network-rules.ts";
import {
  WorkerLoaderExecutor,
  type WorkerLoaderExecutorOptions,
} from "../../src/executors/worker-loader-executor.ts";
import { isolatePackage } from "../../src/package/isolate-package.ts";
import type { CodePackage } from "../../src/package/types.ts";

interface Runtime {
  readonly env: { readonly LOADER: IsolateLoader };
  readonly exports: {
    IsolateOutbound(options: { readonly props: { readonly lists: readonly HostList[] } }): unknown;
  };
}

const { env, exports } = workers as unknown as Runtime;

/** An executor of some packages, which shares isolates with no other. */
export function executorOf(
  packages: readonly CodePackage[],
  options: Partial<WorkerLoaderExecutorOptions> = {},
): WorkerLoaderExecutor {
  const byHash = new Map(packages.map((pkg) => [pkg.hash, pkg]));
  return new WorkerLoaderExecutor({
    loader: env.LOADER,
    runtime,
    scope: crypto.randomUUID(),
    packages: async (hash) => byHash.get(hash),
    prepare: isolatePackage,
    outbound: (lists) => exports.IsolateOutbound({ props: { lists } }),
    ...options,
  });
}

/** Runs the jobs of the executors' contract suite in the package that defines its tasks. */
export class ContractExecutor extends WorkerLoaderExecutor {
  constructor() {
    super({
      loader: env.LOADER,
      runtime,
      scope: crypto.randomUUID(),
      packages: async () => contract,
      prepare: isolatePackage,
    });
  }

  override run(spec: JobSpec, context: ExecutorContext): Promise<JobResult> {
    return super.run({ ...spec, package: contract.hash }, context);
  }
}
