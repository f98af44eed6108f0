import { expect, test } from "vitest";
import { Example } from "./example.ts";

test("recursion computes each Fibonacci number once, and goes on from those it knows", async () => {
  const example = new Example("recursion");
  const ninety = await example.run("fib --n 90");
  expect(ninety.result).toBe("2880067194370816120n");
  expect(ninety.ran).toHaveLength(91);
  const more = await example.run("fib --n 92");
  expect(more.result).toBe("7540113804746346429n");
  expect(more.ran).toEqual(["recursion.fib(n=92)", "recursion.fib(n=91)"]);
});

test("recursion sorts, and sorts again only the halves that changed", async () => {
  const example = new Example("recursion");
  const first = await example.run("sort --xs 3 1 2 5 4 9 8 7");
  expect(first.result).toBe("[\n  1, 2, 3, 4,\n  5, 7, 8, 9\n]");
  const changed = await example.run("sort --xs 3 1 2 5 4 9 8 6");
  expect(changed.result).toContain("5, 6, 8, 9");
  expect(changed.ran).toEqual([
    "recursion.sort(xs=[ 3, 1, 2, 5, 4, 9, 8, 6 ])",
    "recursion.sort(xs=[ 4, 9, 8, 6 ])",
    "recursion.sort(xs=[ 8, 6 ])",
    "recursion.sort(xs=[ 6 ])",
    "recursion.merge(left=[ 8 ], right=[ 6 ])",
    "recursion.merge(left=[ 4, 9 ], right=[ 6, 8 ])",
    "recursion.merge(left=[ 1, 2, 3, 5 ], right=[ 4, 6, 8, 9 ])",
  ]);
});
