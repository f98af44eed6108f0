import { expect, test } from "vitest";
import { MemoryFileSystem } from "../../src/file-systems/memory.ts";
import { RpcFileSystem, serveFileSystem } from "../../src/file-systems/rpc.ts";

/** Counts what is read of its files. */
class CountedFiles extends MemoryFileSystem {
  taken = 0;

  override async stream(path: string): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
    const count = (chunk: Uint8Array): void => {
      this.taken += chunk.length;
    };
    const reader = (await super.stream(path)).getReader();
    return new ReadableStream(
      {
        async pull(controller) {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else {
            count(value);
            controller.enqueue(value);
          }
        },
        cancel: (reason) => reader.cancel(reason),
      },
      { highWaterMark: 0 },
    );
  }
}

test("many large files that are read at the same time are not held in memory together", async () => {
  const files = new CountedFiles();
  const paths = Array.from({ length: 20 }, (_, i) => `file-${i}`);
  for (const path of paths) await files.write(path, new Uint8Array(5_000_000).fill(7));
  const serve = serveFileSystem(files, ["file"]);
  const replies = await Promise.all(paths.map((path) => serve("read", [path])));
  expect(files.taken).toBeLessThan(40_000_000);
  for (const reply of replies) {
    const { value } = reply as { readonly value: ReadableStream | Uint8Array<ArrayBuffer> };
    const bytes = new Uint8Array(await new Response(value).arrayBuffer());
    expect([bytes.length, bytes[0], bytes.at(-1)]).toEqual([5_000_000, 7, 7]);
  }
  // What was given back, also by one who did not want it, can be used again.
  const [first, ...others] = await Promise.all(paths.map((path) => serve("read", [path])));
  for (const reply of [first, ...others]) await (reply as { value: ReadableStream }).value.cancel();
  const rpc = new RpcFileSystem("file", ["file"], () => ({ call: serve }));
  expect(await serve("read", ["file-3"])).toMatchObject({ ok: true, value: expect.any(Uint8Array) });
  expect((await rpc.read("file-3")).length).toBe(5_000_000);
});
