import {
  decodedMappings,
  type EncodedSourceMap,
  encodedMap,
  originalPositionFor,
  type SourceMapInput,
  TraceMap,
} from "@jridgewell/trace-mapping";

/** A place in a source file. Lines count from 1, columns from 0. */
export interface Location {
  readonly source: string;
  readonly line: number;
  readonly column: number;
  /** The name in the source, where the bundle has another. */
  readonly name?: string;
}

/** Finds where the code of a bundle came from. */
export class SourceLocator {
  readonly map: TraceMap;
  readonly #lineStarts: number[] = [0];

  constructor(code: string, map: string) {
    this.map = new TraceMap(map);
    for (let at = code.indexOf("\n"); at >= 0; at = code.indexOf("\n", at + 1)) this.#lineStarts.push(at + 1);
  }

  /** @returns the place that the code at an offset came from; `undefined` for code that the bundler added */
  at(offset: number): Location | undefined {
    const { line, column } = this.position(offset);
    const found = originalPositionFor(this.map, { line: line + 1, column });
    if (found.source === null) return undefined;
    return {
      source: found.source,
      line: found.line,
      column: found.column,
      ...(found.name === null ? {} : { name: found.name }),
    };
  }

  /** The text of a source file. */
  content(source: string): string | undefined {
    const index = this.map.sources.indexOf(source);
    return this.map.sourcesContent?.[index] ?? undefined;
  }

  /** Line and column of an offset, both counting from 0. */
  position(offset: number): { line: number; column: number } {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return { line: low, column: offset - this.#lineStarts[low]! };
  }
}

/** A replacement of some code. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Applies edits that don't overlap or add lines, and moves the columns of the source map along. */
export function applyEdits(code: string, map: string, edits: readonly Edit[]): { code: string; map: string } {
  if (edits.length === 0) return { code, map };
  const locator = new SourceLocator(code, map);
  const sorted = [...edits].sort((a, b) => a.start - b.start || a.end - b.end);
  let edited = "";
  let from = 0;
  const shifts = new Map<number, { column: number; by: number }[]>();
  for (const { start, end, text } of sorted) {
    edited += code.slice(from, start) + text;
    from = end;
    const { line, column } = locator.position(end);
    const shift = { column, by: text.length - (end - start) };
    const onLine = shifts.get(line);
    if (onLine === undefined) shifts.set(line, [shift]);
    else onLine.push(shift);
  }
  edited += code.slice(from);

  const decoded = decodedMappings(locator.map).map((segments, line) => {
    const moves = shifts.get(line);
    if (!moves) return segments;
    let next = 0;
    let shift = 0;
    // Both are in the order of their columns.
    return segments.map((segment) => {
      for (; next < moves.length && moves[next]!.column <= segment[0]; next++) shift += moves[next]!.by;
      return [segment[0] + shift, ...segment.slice(1)] as typeof segment;
    });
  });
  const shifted = new TraceMap({
    ...(JSON.parse(map) as EncodedSourceMap),
    mappings: decoded,
  } as SourceMapInput);
  return { code: edited, map: JSON.stringify(encodedMap(shifted)) };
}
