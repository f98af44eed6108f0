import type { Fetcher } from "@cloudflare/workers-types";
import { securityHeaders } from "../server/web-headers.ts";

/** The frame for pages that tasks made brings a policy of its own. */
const FRAME = "/report.html";

/** Answers requests with the files of the web app, with the headers that it needs. */
export function staticAssets(assets: Fetcher): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    const url = new URL(request.url);
    if (url.pathname === "/") url.pathname = "/index.html";
    const { method, headers } = request;
    const found = (await assets.fetch(url.href, { method, headers: [...headers] })) as unknown as Response;
    if (found.status === 404) {
      await found.body?.cancel();
      return undefined;
    }
    const response = new Response(found.body, found);
    for (const [name, value] of Object.entries(securityHeaders)) response.headers.set(name, value);
    if (url.pathname === FRAME) response.headers.delete("Content-Security-Policy");
    // Names with a hash never mean anything else.
    const lasting = /-[A-Z0-9]{8,}\.\w+$/.test(url.pathname);
    response.headers.set("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    return response;
  };
}
