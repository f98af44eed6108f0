import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";

/**
 * Stack traces in terms of the source files, where the runtime doesn't read source maps itself: Chromium's developer
 * tools do, its `error.stack` does not. Owns the maps of the packages that are loaded.
 *
 * @module
 */

/** What is known of the code of one address. */
interface Mapped {
  /** A version 3 source map. */
  readonly map: string;
  /** How a source, named as in the map, is shown. */
  readonly show: (source: string) => string;
  trace?: TraceMap;
}

const mapped = new Map<string, Mapped>();

/** Only V8 has it. */
const errors = Error as unknown as {
  prepareStackTrace?: (error: Error, frames: readonly unknown[]) => unknown;
};

/** Has stack traces show the sources of the code at an address, if no one else forms them here. */
export function mapStacks(url: string, map: string, show: (source: string) => string): void {
  mapped.set(url, { map, show });
  errors.prepareStackTrace ??= (error, frames) =>
    [
      Error.prototype.toString.call(error),
      ...frames.map((frame) => `    at ${mapFrame(String(frame))}`),
    ].join("\n");
}

/** A frame of a stack trace with its place in the source. */
function mapFrame(frame: string): string {
  return frame.replace(/([a-z]+:\/\/[^\s():]+):(\d+):(\d+)/g, (place, url: string, line, column) => {
    const known = mapped.get(url);
    if (known === undefined) return place;
    known.trace ??= new TraceMap(known.map);
    const found = originalPositionFor(known.trace, { line: Number(line), column: Number(column) - 1 });
    return found.source === null ? place : `${known.show(found.source)}:${found.line}:${found.column + 1}`;
  });
}
