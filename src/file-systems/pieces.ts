/**
 * Cuts a stream into pieces of one size; the last is what remains, and of an empty stream there is none.
 *
 * @param size - of a piece, in bytes
 */
export async function* piecesOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let piece = new Uint8Array(size);
  let filled = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    for (let rest = value; rest.length > 0; ) {
      const fits = rest.subarray(0, size - filled);
      piece.set(fits, filled);
      filled += fits.length;
      rest = rest.subarray(fits.length);
      if (filled < size) continue;
      yield piece;
      piece = new Uint8Array(size);
      filled = 0;
    }
  }
  if (filled > 0) yield piece.subarray(0, filled);
}
