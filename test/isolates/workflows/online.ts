/** Wants some hosts. */
import { File, task } from "redun";

export const redunNetwork = ["api.example.org", "*.example.com", "localhost", "127.0.0.1"];

export const request = task("online.request", async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
});

export const file = task("online.file", async (url: string) => await new File(url).text());

export const raw = task("online.raw", async (host: string) => {
  // @ts-expect-error: the types of Workers are not here
  const { connect } = await import("cloudflare:sockets");
  const socket = connect(host);
  await socket.opened;
  return "opened";
});
