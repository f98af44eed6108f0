/** Redirections that are followed. */
const MOST_REDIRECTIONS = 10;

/** How a `fetch` sends one request, which follows no redirection. It throws where the address must not be reached. */
export type Send = (url: URL, init: RequestInit) => Promise<Response>;

/** A `fetch` that follows redirections by sending each request anew, so that each address is looked at. */
export function guardedFetch(send: Send): (url: string, init: RequestInit) => Promise<Response> {
  return async (url, init) => {
    let target = new URL(url);
    for (let count = 0; count <= MOST_REDIRECTIONS; count++) {
      const response = await send(target, { ...init, redirect: "manual" });
      const location = response.headers.get("location");
      if (location === null || response.status < 300 || response.status > 399) return response;
      await response.body?.cancel();
      target = new URL(location, target);
    }
    throw new TypeError(`Cannot fetch ${url}: it was redirected more than ${MOST_REDIRECTIONS} times`);
  };
}

/** @param why - what the address is not */
export function refusedAddress({ origin, host }: URL, why: string): TypeError {
  return new TypeError(`Cannot fetch ${origin}: the host ${host} ${why}`);
}
