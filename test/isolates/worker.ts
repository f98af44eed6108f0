/** The Worker that tests of isolates run in. */
import { WorkerEntrypoint } from "cloudflare:workers";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { serveFileSystem } from "../../src/file-systems/rpc.ts";

export { IsolateOutbound } from "../../src/executors/isolate-outbound.ts";

const places = new Map<string, ReturnType<typeof serveFileSystem>>();

/** Files in memory, in places by name, for callers elsewhere. */
export class FileService extends WorkerEntrypoint<unknown, { readonly id: string }> {
  async call(operation: unknown, args: unknown): Promise<unknown> {
    const { id } = this.ctx.props;
    let serve = places.get(id);
    if (serve === undefined) {
      serve = serveFileSystem(new MemoryFileSystem(), ["r2", "file"]);
      places.set(id, serve);
    }
    return await serve(operation, args);
  }
}

export default {};
