/** A thread that writes a file again and again. */
import { OpfsFileSystem } from "../../src/file-systems/opfs.ts";

interface Order {
  readonly folder: string;
  readonly path: string;
  readonly letter: string;
  readonly times: number;
}

self.addEventListener("message", async ({ data: { folder, path, letter, times } }: MessageEvent<Order>) => {
  const fileSystem = new OpfsFileSystem({ folder });
  try {
    for (let i = 0; i < times; i++) {
      const text = new Array(2000).fill(letter + String(i).padStart(4, "0")).join(",");
      await fileSystem.write(path, i % 2 === 0 ? new TextEncoder().encode(text) : new Blob([text]).stream());
    }
    self.postMessage("done");
  } catch (error) {
    self.postMessage(String(error));
  }
});
