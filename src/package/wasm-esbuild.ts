import { PackageError } from "../errors/errors.ts";
import type { Esbuild } from "./types.ts";

/** Options of {@link webEsbuild}. */
export interface WebEsbuildOptions {
  /** Whether esbuild gets a worker of its own, so that a build does not hold up this thread. Default true. */
  readonly worker?: boolean;
}

let started: Promise<Esbuild> | undefined;

/**
 * The esbuild of a browser, for `buildPackage`: a page's or a dedicated worker's. It is loaded and started with the
 * first call, and kept.
 *
 * @param wasmUrl - where `esbuild-wasm/esbuild.wasm` is served; its version must be that of the module
 * @throws PackageError if `esbuild-wasm` or its WebAssembly can't be loaded
 *
 * @example Build in a tab
 * ```ts
 * import { buildPackage, webEsbuild } from "redun/package";
 *
 * const files = { "workflow.ts": 'import { task } from "redun"; export const one = task("one", () => 1);' };
 * const esbuild = await webEsbuild("/esbuild.wasm");
 * const pkg = await buildPackage("workflow.ts", { files, esbuild, npm: "inline", lowerAsync: true });
 * ```
 */
export function webEsbuild(wasmUrl: string | URL, options: WebEsbuildOptions = {}): Promise<Esbuild> {
  started ??= start(wasmUrl, options).catch((error: unknown) => {
    started = undefined;
    throw error;
  });
  return started;
}

async function start(wasmUrl: string | URL, { worker = true }: WebEsbuildOptions): Promise<Esbuild> {
  // Its own worker comes from a Blob, to which no relative address means anything.
  const wasmURL = new URL(wasmUrl, (globalThis as { location?: { href: string } }).location?.href).href;
  try {
    const esbuild = await import("esbuild-wasm/esm/browser.js");
    await esbuild.initialize({ wasmURL, worker });
    return esbuild;
  } catch (cause) {
    throw new PackageError(`Cannot start esbuild from ${wasmURL}: ${(cause as Error).message}`, {
      cause,
      hint: "Install esbuild-wasm, and serve its esbuild.wasm at that address, in the same version.",
      fields: { wasmUrl: wasmURL },
    });
  }
}
