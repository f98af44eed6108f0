/** What runs in a tab's dedicated worker: the engine of a repository. */
import { startHost } from "./browser/engine-start.ts";
import type { FromEngine, ToEngine } from "./browser/start-message.ts";
import { plainRecord } from "./browser/transport.ts";
import * as redun from "./index.ts";
import { hideFrames } from "./scheduler/traceback.ts";

// The engine's other modules and its job workers lie beside this one; code of workflows has no address.
hideFrames(new URL(".", import.meta.url).href);

const say = (message: FromEngine): void => globalThis.postMessage(message);

// Code of a workflow may call it, and the page would not hear of it otherwise.
const close = globalThis.close.bind(globalThis);
globalThis.close = () => {
  say({ type: "ended" });
  close();
};

let end: (() => Promise<void>) | undefined;

globalThis.addEventListener("message", async ({ data }: MessageEvent<ToEngine>) => {
  switch (data.type) {
    case "start":
      try {
        end = await startHost(data, { redun });
        say({ type: "ready" });
      } catch (error) {
        say({ type: "failed", error: plainRecord(error) });
      }
      break;
    case "ping":
      say({ type: "pong" });
      break;
    case "close":
      try {
        await end?.();
      } finally {
        say({ type: "closed" });
      }
  }
});
