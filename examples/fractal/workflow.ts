import { ContentFile, task } from "redun";

/**
 * A WebAssembly module of one function: how many times z → z² + c is applied, from zero, until |z| > 2. Its text is in
 * escape.wat; `wat2wasm escape.wat` makes it.
 */
const ESCAPE =
  "AGFzbQEAAAABCAFgA3x8fwF/AwIBAAcKAQZlc2NhcGUAAApdAVsCBHwBfwJAA0AgByACTg0BIAMgA6IhBSAEIASiIQYgBSAGoEQAAAAAAAAQQGQN" +
  "AUQAAAAAAAAAQCADoiAEoiABoCEEIAUgBqEgAKAhAyAHQQFqIQcMAAsLIAcL";

const { exports } = new WebAssembly.Instance(
  new WebAssembly.Module(Uint8Array.from(atob(ESCAPE), (char) => char.charCodeAt(0))),
);
const timeToEscape = exports.escape as (re: number, im: number, limit: number) => number;

const LIMIT = 255;

/** The part of the plane that is drawn. */
interface View {
  readonly re: number;
  readonly im: number;
  readonly width: number;
}

/** Draws some lines of the picture: a byte a pixel, darker the longer it takes to escape. */
export const band = task("fractal.band", (view: View, size: number, from: number, to: number) => {
  const step = view.width / size;
  const pixels = new Uint8Array(size * (to - from));
  for (let y = from; y < to; y++) {
    for (let x = 0; x < size; x++) {
      const re = view.re + (x - size / 2) * step;
      const im = view.im + (y - size / 2) * step;
      pixels[(y - from) * size + x] = 255 - timeToEscape(re, im, LIMIT);
    }
  }
  return pixels;
});

/** Puts the lines together to a picture in grey, as a BMP file. */
export const picture = task("fractal.picture", async (bands: Uint8Array[], size: number, path: string) => {
  const file = new ContentFile(path);
  await file.write(bitmap(bands, size));
  return file;
});

/**
 * Draws a part of the Mandelbrot set, in bands that run on all cores. Draw it again with other bands or another part, and
 * only what is new is computed.
 *
 * @param size - width and height in pixels; a multiple of 4
 * @param re - the middle of the picture
 * @param im - the middle of the picture
 * @param width - of the part of the plane
 * @param bands - how many jobs draw it
 * @param out - where to put the picture
 */
export const main = task(
  "fractal.main",
  (
    size: number = 480,
    re: number = -0.6,
    im: number = 0,
    width: number = 3,
    bands: number = 8,
    out: string = "fractal.bmp",
  ) => {
    const edges = Array.from({ length: bands + 1 }, (_, i) => Math.round((i * size) / bands));
    const drawn = edges.slice(1).map((to, i) => band({ re, im, width }, size, edges[i]!, to));
    return picture(drawn, size, out);
  },
);

/** A BMP of 256 greys. Its lines go from the bottom up, each a multiple of 4 bytes long. */
function bitmap(bands: readonly Uint8Array[], size: number): Uint8Array {
  const start = 54 + 4 * 256;
  const bytes = new Uint8Array(start + size * size);
  const header = new DataView(bytes.buffer);
  bytes.set([0x42, 0x4d]);
  const fields: readonly [at: number, value: number][] = [
    [2, bytes.length],
    [10, start],
    [14, 40],
    [18, size],
    [22, size],
    [26, 1 | (8 << 16)],
    [34, size * size],
    [46, 256],
  ];
  for (const [at, value] of fields) header.setUint32(at, value, true);
  for (let grey = 0; grey < 256; grey++) bytes.fill(grey, 54 + 4 * grey, 57 + 4 * grey);
  let at = bytes.length;
  for (const pixels of bands) {
    for (let i = 0; i < pixels.length; i += size) {
      at -= size;
      bytes.set(pixels.subarray(i, i + size), at);
    }
  }
  return bytes;
}
