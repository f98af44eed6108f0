import { hashBytes } from "../value/hash.ts";

/**
 * Has `WebAssembly` give modules that were compiled before, where code asks to compile the same bytes, in a runtime that
 * compiles none while it runs.
 *
 * @param modules - by the hash of their bytes
 */
export function usePrecompiled(modules: ReadonlyMap<string, WebAssembly.Module>): void {
  const { Module, compile, instantiate } = WebAssembly;
  const find = (source: BufferSource): WebAssembly.Module => {
    const bytes = ArrayBuffer.isView(source)
      ? new Uint8Array(source.buffer, source.byteOffset, source.byteLength)
      : new Uint8Array(source);
    const module = modules.get(hashBytes(bytes));
    if (module !== undefined) return module;
    throw new WebAssembly.CompileError(
      "Cannot compile WebAssembly here: on an instance only modules can be used that stand in the workflow as base64 text",
    );
  };
  Object.assign(WebAssembly, {
    Module: new Proxy(Module, { construct: (_target, [source]) => find(source as BufferSource) }),
    compile: async (source: BufferSource): ReturnType<typeof compile> => find(source),
    async instantiate(source: BufferSource | WebAssembly.Module, imports?: WebAssembly.Imports) {
      if (source instanceof Module) return await instantiate(source, imports);
      const module = find(source);
      return { module, instance: await instantiate(module, imports) };
    },
  });
}
