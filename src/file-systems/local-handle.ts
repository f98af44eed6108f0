/** Reading and writing through an open file. */
import type { FileHandle } from "node:fs/promises";
import type { ByteRange } from "../file/file-system.ts";

/** Bytes read at a time: larger gains little, smaller costs calls. */
const CHUNK = 1 << 18;

/** Reads a part of a file, or what there is of it. */
export async function readHandle(handle: FileHandle, range: ByteRange): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await handle.stat();
  const available = Math.max(0, size - range.offset);
  const bytes = new Uint8Array(Math.min(range.length ?? available, available));
  let filled = 0;
  while (filled < bytes.length) {
    const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, range.offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.subarray(0, filled);
}

/**
 * A stream of a file or a part of it, which closes the file when it ends.
 *
 * @param translate - turns an error of the system into one for the reader
 */
export function streamHandle(
  handle: FileHandle,
  translate: (error: unknown) => unknown,
  range?: ByteRange,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  // Without a position the file is read on from where it is, as a pipe has to be.
  let position = range === undefined ? null : range.offset;
  let left = range?.length ?? Infinity;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async (controller) => {
        try {
          const buffer = new Uint8Array(Math.min(CHUNK, left));
          const { bytesRead } =
            buffer.length === 0 ? { bytesRead: 0 } : await handle.read(buffer, 0, buffer.length, position);
          if (bytesRead === 0) {
            await handle.close();
            controller.close();
            return;
          }
          left -= bytesRead;
          if (position !== null) position += bytesRead;
          controller.enqueue(buffer.subarray(0, bytesRead));
        } catch (error) {
          await handle.close().catch(() => {});
          throw translate(error);
        }
      },
      cancel: () => handle.close(),
    },
    { highWaterMark: 0 },
  );
}

/** Writes all of the data. */
export async function writeHandle(
  handle: FileHandle,
  data: Uint8Array | ReadableStream<Uint8Array>,
): Promise<void> {
  if (data instanceof Uint8Array) return await writeAll(handle, data);
  const reader = data.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      await writeAll(handle, value);
    }
  } finally {
    // The lock goes, so that the caller can cancel a stream that was not read to its end.
    reader.releaseLock();
  }
}

async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}
