/**
 * Instruments the helpers through which esbuild runs async functions that it turned into generators.
 *
 * Each call of such a function asks `globalThis[Symbol.for("redun.capture")]` once for a function `wrap`, and
 * runs every step of its generator as `wrap(() => step)`. So an engine without `AsyncLocalStorage` knows which
 * job a piece of code belongs to, also after an `await`.
 */
export function instrumentAsync(code: string): string {
  return instrument(instrument(code, "__async", AWAITED), "__asyncGenerator", AWAITED_OR_YIELDED);
}

/** The expression in both helpers that makes the generator. It stays on its line, so source maps stay right. */
const START = "generator.apply(__this, __arguments)";

function instrument(code: string, helper: string, value: string): string {
  const declaration = code.indexOf(`var ${helper} = (__this, __arguments, generator) =>`);
  if (declaration < 0) return code;
  const start = code.indexOf(START, declaration);
  if (start < 0) return code;
  const end = start + START.length;
  return `${code.slice(0, start)}(${stepper(value)})(${START})${code.slice(end)}`;
}

/**
 * The `then` of a thenable that is no promise, such as a lazy expression, must run inside the step as well:
 * `Promise.resolve` would call it later, when no job is current.
 */
const AWAITED = "({ done: step.done, value: settle(step.value) })";
const AWAITED_OR_YIELDED = `step.value instanceof __await ? (step.value[0] = settle(step.value[0]), step) : ${AWAITED}`;

function stepper(value: string): string {
  return [
    "(steps) => {",
    'const wrap = globalThis[Symbol.for("redun.capture")]?.() ?? ((run) => run());',
    'const settle = (value) => typeof value?.then !== "function" || value instanceof Promise',
    "? value : new Promise((resolve, reject) => value.then(resolve, reject));",
    `const take = (step) => ${value};`,
    "const run = (method) => (input) => wrap(() => take(steps[method](input)));",
    'return { next: run("next"), throw: run("throw"), return: run("return") };',
    "}",
  ].join(" ");
}
