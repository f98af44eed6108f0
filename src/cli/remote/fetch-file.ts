import { Writable } from "node:stream";
import { copyPath } from "../../file/copy.ts";
import { ServerError } from "../../server/client.ts";
import { RedunClientError } from "../client-error.ts";
import { registerFileSystems } from "../runtime.ts";
import { connect } from "./connect.ts";
import type { ServerTarget } from "./target.ts";

/**
 * Copies a file that a server has recorded to this machine.
 *
 * @param source - its path as tasks name it there, or the hash of its value
 * @param target - a path of this machine; `-` is stdout
 * @throws RedunClientError if the server has recorded no such file, or it has changed since
 */
export async function fetchFile(server: ServerTarget, source: string, target: string): Promise<void> {
  registerFileSystems();
  const { repo, records } = await connect(server);
  const hashes = /^[0-9a-f]{40}$/.test(source) ? [source] : await hashesOf(records, source);
  let failure: unknown;
  for (const hash of hashes) {
    try {
      return await copyPath(null, target === "-" ? null : target, {
        stdin: await repo.fileStream(hash),
        stdout: Writable.toWeb(process.stdout) as WritableStream<Uint8Array>,
      });
    } catch (error) {
      // A path may have been recorded with several contents, of which one is there now.
      if (!(error instanceof ServerError) || error.code !== "file-changed") throw error;
      failure = error;
    }
  }
  throw (
    failure ??
    new RedunClientError(
      `Cannot copy ${source}: no execution on the server ${server.url} has made or read such a file`,
      {
        hint: "Name it as its task does; redun log --file --server … lists files.",
      },
    )
  );
}

async function hashesOf(
  records: Awaited<ReturnType<typeof connect>>["records"],
  path: string,
): Promise<string[]> {
  const found = await records.find({ type: "Value", filePaths: [path], limit: 1000 });
  const rows = await records.getValues(found.map(({ id }) => id));
  // A star in a path stands for anything.
  return rows.filter((row) => row?.file === path).map((row) => row!.hash);
}
