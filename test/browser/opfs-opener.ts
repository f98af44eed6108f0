/** Opens a store on OPFS when it is told a name, and says how that went. */
import "./dynamic-imports.ts";
import { OpfsSqliteBackend } from "../../src/backends/opfs-sqlite-backend.ts";

globalThis.addEventListener("message", async ({ data: name }: MessageEvent<string>) => {
  try {
    const backend = new OpfsSqliteBackend(name);
    await backend.load();
    const count = await backend.count({ type: "Value" });
    await backend.close();
    globalThis.postMessage(`opened, ${count} values`);
  } catch (error) {
    globalThis.postMessage((error as Error).message);
  }
});
