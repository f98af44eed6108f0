import { asksForHosts, type HostList, mayReach } from "../executors/network-rules.ts";

/** Redirections that are followed. */
const MOST_REDIRECTIONS = 10;

/**
 * A `fetch` that reaches allowed hosts only, also where it is redirected.
 *
 * @param allowed - hosts, or all of them, or none
 */
export function guardedFetch(
  allowed: boolean | readonly string[],
): (url: string, init: RequestInit) => Promise<Response> {
  const list: HostList | undefined = asksForHosts(allowed) ? allowed : undefined;
  return async (url, init) => {
    let target = new URL(url);
    for (let count = 0; count <= MOST_REDIRECTIONS; count++) {
      if (list === undefined || !mayReach(target, [list])) {
        throw new TypeError(
          `Cannot fetch ${target.origin}: the host ${target.host} is not among those that may be reached`,
        );
      }
      const response = await fetch(target, { ...init, redirect: "manual" });
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) return response;
      await response.body?.cancel();
      target = new URL(location, target);
    }
    throw new TypeError(`Cannot fetch ${url}: it was redirected more than ${MOST_REDIRECTIONS} times`);
  };
}
