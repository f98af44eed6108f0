/**
 * Stands in for `node:zlib` in bundles for the browser that hold just-bash: `alias: { "node:zlib": … }`. The engine's
 * shell brings `gzip`, `gunzip` and `zcat` of its own; only `rg --search-zip` gets here.
 */
export const constants: Readonly<Record<string, number>> = {};

function unavailable(): never {
  throw new Error("There is no node:zlib in a browser");
}

export const gunzipSync: () => never = unavailable;
export const gzipSync: () => never = unavailable;
