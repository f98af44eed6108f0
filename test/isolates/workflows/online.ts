/** Wants some hosts. */
import { File, task } from "redun";

export const redunNetwork: string[] = ["api.example.org", "*.example.com", "localhost", "127.0.0.1"];

// Kept from before the first job runs.
const { fetch: kept } = globalThis;

task("online.kept", async (url: string) => await (await kept(url)).text());

task("online.request", async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
});

/** Asks Cloudflare to go elsewhere, and to keep the answer for others. */
task("online.rerouted", async (url: string) => {
  const cf = { resolveOverride: "elsewhere.example.net", cacheEverything: true, cacheKey: "mine" };
  return await (await fetch(url, { cf } as RequestInit)).json();
});

task("online.file", async (url: string) => await new File(url).text());

task("online.raw", async (host: string) => {
  const { connect } = await import("cloudflare:sockets" as string);
  const socket = connect(host);
  const writer = socket.writable.getWriter();
  await writer.write(new TextEncoder().encode("GET / HTTP/1.0\r\n\r\n"));
  const { value } = await socket.readable.getReader().read();
  return value === undefined ? "nothing" : "something";
});
