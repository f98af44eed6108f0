import { type Task, task } from "../../src/index.ts";

export const add: Task<[a: number, b: number], number> = task(
  { name: "exp.add", version: "1" },
  (a: number, b: number) => a + b,
);
export const mul: Task<[a: number, b: number], number> = task(
  { name: "exp.mul", version: "1" },
  (a: number, b: number) => a * b,
);
export interface User {
  readonly name: string;
  readonly tags: readonly string[];
  greet(greeting: string): string;
}
export const user: Task<[name: string], User> = task({ name: "exp.user", version: "1" }, (name: string) => ({
  name,
  tags: ["a", "b"],
  greet: (greeting: string) => `${greeting}, ${name}!`,
}));
export const pair: Task<[], [number, string]> = task(
  { name: "exp.pair", version: "1", nout: 2 },
  (): [number, string] => [1, "a"],
);
