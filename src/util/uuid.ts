const pool = new Uint8Array(4096);
let offset = pool.length;
const hex: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
let lastTime = 0;
let counter = 0;

/**
 * A UUID of version 7: ids made later in one process sort after earlier ones, so that indexes on them append.
 * @see https://www.rfc-editor.org/rfc/rfc9562#section-5.7
 */
export function uuid(): string {
  if (offset + 8 > pool.length) {
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
  const high = Math.floor(lastTime / 0x10000).toString(16).padStart(8, "0");
  const low = (lastTime % 0x10000).toString(16).padStart(4, "0");
  const a = hex[0x80 | (pool[offset + 1]! & 0x3f)]! + hex[pool[offset + 2]!]!;
  const b = hex[pool[offset + 3]!]! + hex[pool[offset + 4]!]! + hex[pool[offset + 5]!]!;
  const c = hex[pool[offset + 6]!]! + hex[pool[offset + 7]!]! + hex[pool[offset]!]!;
  offset += 8;
  return `${high}-${low}-7${counter.toString(16).padStart(3, "0")}-${a}-${b}${c}`;
}
