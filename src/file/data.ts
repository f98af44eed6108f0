import { InvalidPathError } from "./errors.ts";

/** What can be written to a file. Text is written as UTF-8 unless told otherwise. */
export type FileData = string | Uint8Array | ArrayBuffer | Blob | ReadableStream<Uint8Array>;

/** How text is laid out in bytes; UTF-16 is little-endian, without a byte order mark. */
export type TextEncoding = "utf-8" | "utf-16le";

const utf8 = new TextEncoder();

/** Text as bytes. */
function encodeText(text: string, encoding: TextEncoding = "utf-8"): Uint8Array<ArrayBuffer> {
  if (encoding === "utf-8") return utf8.encode(text);
  const view = new DataView(new ArrayBuffer(text.length * 2));
  for (let i = 0; i < text.length; i++) view.setUint16(i * 2, text.charCodeAt(i), true);
  return new Uint8Array(view.buffer);
}

/**
 * What to write, as a file system takes it.
 *
 * @param path - what an error names
 * @throws InvalidPathError if an encoding is given for data that is bytes already
 */
export function toWritable(
  path: string,
  data: FileData,
  encoding?: TextEncoding,
): Uint8Array | ReadableStream<Uint8Array> {
  if (typeof data === "string") return encodeText(data, encoding);
  if (encoding !== undefined) {
    throw new InvalidPathError("write", path, "an encoding is for text, and this is bytes");
  }
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return data instanceof Blob ? data.stream() : data;
}

/** A stream that opens when it is first read, so that it can be handed out at once. */
export function lazyStream(
  open: () => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let reader: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> | undefined;
  return new ReadableStream(
    {
      pull: async (controller) => {
        reader ??= (await open()).getReader();
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader?.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Streams one after another. */
export function concatStreams(...streams: readonly ReadableStream<Uint8Array>[]): ReadableStream<Uint8Array> {
  const readers = streams.map((stream) => stream.getReader());
  return new ReadableStream(
    {
      pull: async (controller) => {
        for (;;) {
          const reader = readers[0];
          if (reader === undefined) return controller.close();
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          readers.shift();
        }
      },
      cancel: async (reason) => void (await Promise.all(readers.map((reader) => reader.cancel(reason)))),
    },
    { highWaterMark: 0 },
  );
}

/**
 * A stream to write to, out of a function that stores what it can read. Closing waits until all is stored; if storing
 * fails, so does the next write.
 *
 * @param store - consumes the stream; it rejects if the stream fails, storing nothing
 * @param stored - runs once after a successful close, before the close resolves
 */
export function writableThrough(
  store: (data: ReadableStream<Uint8Array>) => Promise<void>,
  stored: () => Promise<unknown>,
): WritableStream<Uint8Array | string> {
  const pipe = new TransformStream<Uint8Array, Uint8Array>();
  const writer = pipe.writable.getWriter();
  let done: Promise<void> | undefined;
  return new WritableStream<Uint8Array | string>({
    start: (controller) => {
      done = store(pipe.readable);
      // A store that gave up reads no more, so a write under way would wait for ever.
      done.catch((error: unknown) => {
        controller.error(error);
        writer.abort(error).catch(() => {});
      });
    },
    write: (chunk) => writer.write(typeof chunk === "string" ? utf8.encode(chunk) : chunk),
    close: async () => {
      await Promise.all([writer.close(), done]);
      await stored();
    },
    abort: async (reason) => {
      await writer.abort(reason);
      await done?.catch(() => {});
    },
  });
}
