const pool = new Uint8Array(4096);
let offset = pool.length;
let lastTime = 0;
let counter = 0;

/** Character codes of the text under construction, its dashes in place. */
const codes: number[] = Array.from("00000000-0000-7000-8000-000000000000", (char) => char.charCodeAt(0));
const digits: readonly number[] = Array.from("0123456789abcdef", (char) => char.charCodeAt(0));
/** Where the 12 digits of the time, the 3 of the counter and the 15 random ones stand. */
const timePlaces = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12];
const randomPlaces = [20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35];
let writtenTime = -1;

/**
 * A UUID of version 7: ids made later in one process sort after earlier ones, so that indexes on them append. The text
 * is made in one piece; put together from parts, V8 would keep the parts.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuid(): string {
  if (offset + 9 > pool.length) {
    crypto.getRandomValues(pool);
    offset = 0;
  }
  const now = Date.now();
  if (now > lastTime) {
    lastTime = now;
    counter = pool[offset]! & 0x0f;
  } else if (++counter > 0xfff) {
    // More ids than the counter holds borrow from the next millisecond.
    lastTime++;
    counter = 0;
  }
  if (lastTime !== writtenTime) {
    writtenTime = lastTime;
    let rest = lastTime;
    for (let i = 11; i >= 0; i--) {
      codes[timePlaces[i]!] = digits[rest % 16]!;
      rest = Math.floor(rest / 16);
    }
  }
  codes[15] = digits[counter >> 8]!;
  codes[16] = digits[(counter >> 4) & 15]!;
  codes[17] = digits[counter & 15]!;
  codes[19] = digits[8 | (pool[offset]! >> 6)]!;
  for (let i = 0; i < 15; i++) {
    const byte = pool[offset + 1 + (i >> 1)]!;
    codes[randomPlaces[i]!] = digits[(i & 1) === 0 ? byte >> 4 : byte & 15]!;
  }
  offset += 9;
  return String.fromCharCode(...codes);
}
