/**
 * The engine's own modules, where packages are loaded that cannot import them by an address. Owns one global, under
 * which their stand-ins find the running engine's exports.
 *
 * @module
 */

/** Namespaces of the engine's modules by the specifier that a workflow imports, such as `redun`. */
export type EngineModules = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

const ENGINE: unique symbol = Symbol.for("redun.engine") as never;

const scope = globalThis as { [ENGINE]?: EngineModules };

/**
 * Says which modules the imports of packages lead to. Called once, by the module that a tab's thread begins with.
 *
 * @example Let packages import the engine
 * ```ts
 * import * as redun from "redun";
 * import { provideEngine } from "redun/package";
 *
 * provideEngine({ redun });
 * ```
 */
export function provideEngine(modules: EngineModules): void {
  Object.defineProperty(globalThis, ENGINE, { value: modules, configurable: true });
}

/** What {@link provideEngine} was given. */
export function engineModules(): EngineModules | undefined {
  return scope[ENGINE];
}

/** The text of a module whose exports are those of an engine's module. */
export function standInFor(specifier: string, modules: EngineModules): string {
  const names = Object.keys(modules[specifier]!);
  const from = `globalThis[Symbol.for("redun.engine")][${JSON.stringify(specifier)}]`;
  const constants = names.map((name, i) => `const _${i} = engine[${JSON.stringify(name)}];`);
  const exports = names.map((name, i) => `_${i} as ${JSON.stringify(name)}`);
  return [`const engine = ${from};`, ...constants, `export { ${exports.join(", ")} };`].join("\n");
}
