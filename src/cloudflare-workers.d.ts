/** What is used of the runtime's own module. Its package of types would bring globals that collide with the DOM's. */
declare module "cloudflare:workers" {
  /** An object whose methods the other side of an RPC may call. */
  export class RpcTarget {
    private readonly __rpcTarget: never;
  }

  /** A class of which each request or call makes an instance. */
  export class WorkerEntrypoint<Env = unknown, Props = unknown> {
    protected readonly env: Env;
    protected readonly ctx: { readonly props: Props; waitUntil(promise: Promise<unknown>): void };
    constructor(ctx: unknown, env: Env);
  }
}

/** What isolates run; the build makes it, see `scripts/build-isolate.ts`. */
declare module "#isolate-runtime" {
  const runtime: import("./executors/isolate-messages.ts").IsolateRuntime;
  export default runtime;
}
