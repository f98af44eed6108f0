import { asksForHosts, type HostList, mayReach } from "../executors/network-rules.ts";
import { guardedFetch, refusedAddress } from "../server/guarded-fetch.ts";

/**
 * A `fetch` that reaches allowed hosts only, also where it is redirected.
 *
 * @param allowed - hosts, or all of them, or none
 */
export function allowedFetch(
  allowed: boolean | readonly string[],
): (url: string, init: RequestInit) => Promise<Response> {
  const list: HostList | undefined = asksForHosts(allowed) ? allowed : undefined;
  return guardedFetch(async (url, init) => {
    if (list !== undefined && mayReach(url, [list])) return fetch(url, init);
    throw refusedAddress(url, "is not among those that may be reached");
  });
}
