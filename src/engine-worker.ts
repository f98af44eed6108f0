/** What runs in a tab's dedicated worker: the engine of a repository. */
import { startHost } from "./browser/engine-start.ts";
import type { StartMessage } from "./browser/start-message.ts";
import { plainRecord } from "./browser/transport.ts";
import * as redun from "./index.ts";

let end: (() => Promise<void>) | undefined;

globalThis.addEventListener("message", async ({ data }: MessageEvent<StartMessage | "close">) => {
  if (data === "close") {
    await end?.();
    globalThis.postMessage({ type: "closed" });
    return;
  }
  try {
    end = await startHost(data, { redun });
    globalThis.postMessage({ type: "ready" });
  } catch (error) {
    globalThis.postMessage({ type: "failed", error: plainRecord(error) });
  }
});
