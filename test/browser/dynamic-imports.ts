/** Vitest rewrites dynamic imports in all modules that it serves, to calls of what it has defined in the page only. */
(globalThis as { __vitest_browser_runner__?: unknown }).__vitest_browser_runner__ ??= {
  wrapDynamicImport: (load: () => unknown) => load(),
};
