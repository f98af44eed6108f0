import { type Lazy, plus, task } from "redun";

/**
 * A number of the Fibonacci sequence. Written in the naive way, but equal calls are one call, so there are as many jobs
 * as numbers.
 *
 * @param n - which number; 0 gives 0, 1 gives 1
 */
export const fib = task(
  "recursion.fib",
  (n: number): Lazy<bigint> => (n < 2 ? BigInt(n) : plus(fib(n - 1), fib(n - 2))),
);

/** Joins two sorted lists to one. */
export const merge = task("recursion.merge", (left: number[], right: number[]): number[] => {
  const merged: number[] = [];
  let [i, j] = [0, 0];
  while (i < left.length && j < right.length) {
    merged.push(left[i]! <= right[j]! ? left[i++]! : right[j++]!);
  }
  return [...merged, ...left.slice(i), ...right.slice(j)];
});

/**
 * Sorts numbers by sorting both halves, in parallel, and merging them.
 *
 * @param xs - the numbers
 */
export const sort = task("recursion.sort", (xs: number[]): Lazy<number[]> => {
  if (xs.length < 2) return xs;
  const middle = xs.length >> 1;
  return merge(sort(xs.slice(0, middle)), sort(xs.slice(middle)));
});
