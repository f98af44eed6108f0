import type { Expression } from "../expression/types.ts";
import { type Namespace, namespace, type Task } from "../task/task.ts";

/** Defined under versions, so that any build of this module gives them the same hashes. */
const contract: Namespace = namespace("redun_contract");
const version = "1";

/** A result that mixes what JSON lacks. */
export const samples: () => unknown = () => [
  undefined,
  -0,
  Number.NaN,
  12n,
  new Date(0),
  new Map([["key", new Set([1])]]),
  new Uint8Array([0, 255]),
  { $: "text \ud83d\udc0b" },
];

export const add: Task<[a: number, b: number], number> = contract.task(
  { name: "add", version },
  (a: number, b: number) => a + b,
);
export const echo: Task<[value: unknown], unknown> = contract.task(
  { name: "echo", version },
  (value: unknown) => value,
);
export const later: Task<[value: number], Promise<number>> = contract.task(
  { name: "later", version },
  async (value: number) => (await Promise.resolve(value)) + 1,
);
export const lazySum: Task<[a: number], Expression<number>> = contract.task(
  { name: "lazy_sum", version },
  (a: number) => add(a, 1),
);
export const eager: Task<[], Promise<number>> = contract.task(
  { name: "eager", version },
  async () => await add(1, 2),
);
export const fail: Task<[message: string], never> = contract.task(
  { name: "fail", version },
  (message: string): never => {
    throw Object.assign(new RangeError(message), { detail: [1, 2] });
  },
);
export const unsupported: Task<[], unknown> = contract.task({ name: "unsupported", version }, () => ({
  items: [1, 2, 3, { callback: () => 1 }],
}));
export const print: Task<[lines: readonly string[]], number> = contract.task(
  { name: "print", version },
  (lines: readonly string[]) => {
    for (const line of lines) console.log(line);
    return lines.length;
  },
);
export const forever: Task<[], Promise<never>> = contract.task(
  { name: "forever", version },
  () => new Promise<never>(() => {}),
);
export const spin: Task<[], never> = contract.task({ name: "spin", version }, (): never => {
  for (;;);
});
export const shell: Task<[command: string], Uint8Array> = contract.task(
  { name: "shell", version, script: true },
  (command: string) => command,
);
