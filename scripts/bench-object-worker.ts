/** What the benchmark does in a Durable Object: a scheduler with its store in the object runs a fan-out. */
import { DurableObject } from "cloudflare:workers";
import type { DurableObjectNamespace } from "@cloudflare/workers-types";
import { DurableObjectBackend } from "../src/backends/durable-object-backend.ts";
import { Scheduler, task } from "../src/index.ts";

const inc = task("bench.inc", (n: number) => n + 1);
const total = task("bench.total", (items: readonly number[]) => items.reduce((sum, n) => sum + n, 0));
const fan = task("bench.fan", (n: number) => total(Array.from({ length: n }, (_, i) => inc(i))));

export class BenchObject extends DurableObject {
  private readonly scheduler = new Scheduler({ backend: new DurableObjectBackend(this.ctx.storage) });

  /** Runs a fan-out of as many jobs as the path says, such as `/10000`. */
  async fetch(request: { readonly url: string }): Promise<Response> {
    const jobs = Number(new URL(request.url).pathname.slice(1));
    return Response.json(await this.scheduler.run(fan(jobs)));
  }
}

export default {
  /** Hands a request to the object that its host names. */
  fetch(request: { readonly url: string }, env: { readonly OBJECTS: DurableObjectNamespace }): unknown {
    const stub = env.OBJECTS.get(env.OBJECTS.idFromName(new URL(request.url).host));
    return stub.fetch(request as never);
  },
};
