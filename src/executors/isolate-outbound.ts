import { WorkerEntrypoint } from "cloudflare:workers";
import { type HostList, mayReach } from "./network-rules.ts";

/** What the requests of a package's isolate go through. */
export interface OutboundProps {
  /** A request must be allowed by each of them. */
  readonly lists: readonly HostList[];
}

/**
 * Lets requests of an isolate go to the hosts that its package asks for and the operator allows, and to no others.
 * Redirections come here again, each as a request of its own. A Worker that has an executor with the network exports this
 * class, and gives its isolates `ctx.exports.IsolateOutbound({ props: { lists } })`.
 */
export class IsolateOutbound extends WorkerEntrypoint<unknown, OutboundProps> {
  async fetch(request: Request): Promise<Response> {
    const { host, origin } = new URL(request.url);
    if (!mayReach(new URL(request.url), this.ctx.props.lists))
      throw new Error(`Cannot fetch ${origin}: the host ${host} is not among those that may be reached`);
    // What a request says in `cf` could lead to another origin, or put answers into a cache.
    return await fetch(request, { redirect: "manual", cf: {} } as RequestInit);
  }

  /** Sockets would lead around the names of hosts. */
  connect(): never {
    throw new Error("Cannot open a socket: only requests by fetch are let through");
  }
}
