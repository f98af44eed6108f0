/** Makes an address under which a module's text can be imported, and says how to let go of it. */
export interface ModuleUrls {
  make(code: string): string;
  release(url: string): void;
}

const blobs: ModuleUrls = {
  make: (code) => URL.createObjectURL(new Blob([code], { type: "text/javascript" })),
  release: (url) => URL.revokeObjectURL(url),
};

const data: ModuleUrls = {
  make: (code) => `data:text/javascript;charset=utf-8,${encodeURIComponent(code)}`,
  release() {},
};

let found: Promise<ModuleUrls> | undefined;

/** The way that works in this runtime: Blobs, unless a page's policy forbids them or the runtime can't import them. */
export function moduleUrls(): Promise<ModuleUrls> {
  found ??= probe();
  return found;
}

async function probe(): Promise<ModuleUrls> {
  if (typeof URL.createObjectURL !== "function") return data;
  const url = blobs.make("export {};");
  try {
    await importModule(url);
    return blobs;
  } catch {
    return data;
  } finally {
    blobs.release(url);
  }
}

/** Imports by an address that no bundler should look at. */
export function importModule(url: string): Promise<Readonly<Record<string, unknown>>> {
  return import(/* @vite-ignore */ /* webpackIgnore: true */ url);
}
