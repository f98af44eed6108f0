/** A thread that writes a file again and again, until it is told to stop. */
import { OpfsFileSystem } from "../../src/file-systems/opfs.ts";

interface Order {
  readonly folder: string;
  readonly path: string;
  readonly letter: string;
}

let isStopped = false;

self.addEventListener("message", ({ data }: MessageEvent<Order | "stop">) => {
  if (data === "stop") isStopped = true;
  else void write(data);
});

async function write({ folder, path, letter }: Order): Promise<void> {
  const fileSystem = new OpfsFileSystem({ folder });
  try {
    for (let i = 0; !isStopped; i++) {
      const text = new Array(2000).fill(letter + String(i).padStart(4, "0")).join(",");
      await fileSystem.write(path, i % 2 === 0 ? new TextEncoder().encode(text) : new Blob([text]).stream());
    }
    self.postMessage("stopped");
  } catch (error) {
    self.postMessage(String(error));
  }
}
