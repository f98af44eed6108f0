import * as workers from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { describeFileSystem } from "../../src/file-systems/contract.ts";
import { type FilePort, RpcFileSystem } from "../../src/file-systems/rpc.ts";

const { exports } = workers as unknown as { exports: { FileService(options: object): FilePort } };

describeFileSystem(
  "memory of another Worker, over RPC,",
  async () => {
    const service = exports.FileService({ props: { id: crypto.randomUUID() } });
    return {
      fileSystem: new RpcFileSystem("r2", ["r2", "file"], () => service),
      root: "r2://bucket/contract",
    };
  },
  { describe, test, expect },
);

test("content that is larger than a message goes both ways, also as bytes", async () => {
  const service = exports.FileService({ props: { id: crypto.randomUUID() } });
  const files = new RpcFileSystem("r2", ["r2", "file"], () => service);
  const bytes = new Uint8Array(34_000_000).fill(7);
  await files.write("r2://bucket/large", bytes);
  expect((await files.stat("r2://bucket/large"))?.size).toBe(bytes.length);
  const back = await files.read("r2://bucket/large");
  expect(back.length).toBe(bytes.length);
  expect([back[0], back[20_000_000], back.at(-1)]).toEqual([7, 7, 7]);
});

test("a failure on the other side comes with its code and fields", async () => {
  const service = exports.FileService({ props: { id: crypto.randomUUID() } });
  const files = new RpcFileSystem("r2", ["r2"], () => service);
  await files.mkdir("r2://bucket/folder");
  await expect(files.write("r2://bucket/folder", new Uint8Array(1))).rejects.toMatchObject({
    code: "file",
    message: "Cannot write r2://bucket/folder: it is a folder",
    fields: { path: "r2://bucket/folder" },
  });
});
