import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FairQueue } from "../../src/util/fair-queue.ts";

const queueOf = (...items: string[]): FairQueue<string> => {
  const queue = new FairQueue<string>((item) => item[0]!);
  for (const item of items) queue.add(item);
  return queue;
};
const drain = (queue: FairQueue<string>): string[] => {
  const taken: string[] = [];
  for (let item = queue.take(); item !== undefined; item = queue.take()) taken.push(item);
  return taken;
};

describe("a fair queue", () => {
  test("lets groups take turns, and gives each in the order in which it came", () => {
    expect(drain(queueOf("a1", "a2", "a3", "a4", "b1", "b2", "c1"))).toEqual([
      ...["a1", "b1", "c1"],
      ...["a2", "b2"],
      ...["a3", "a4"],
    ]);
  });

  test("gives what comes later to a small group the next turn but one", () => {
    const queue = queueOf("a1", "a2", "a3");
    expect(queue.take()).toBe("a1");
    queue.add("b1");
    expect(drain(queue)).toEqual(["a2", "b1", "a3"]);
  });

  test("puts items back before those that wait", () => {
    const queue = queueOf("a1", "a2", "a3");
    const taken = [queue.take()!, queue.take()!];
    queue.putBack(taken);
    expect(queue.size).toBe(3);
    expect(drain(queue)).toEqual(["a1", "a2", "a3"]);
    queue.putBack(["b1", "b2"]);
    expect(drain(queue)).toEqual(["b1", "b2"]);
  });

  test("lets single items go, and all of a kind", () => {
    const queue = queueOf("a1", "a2", "b1", "b2", "a3");
    expect(queue.remove("a2")).toBe(true);
    expect(queue.remove("a2")).toBe(false);
    expect(queue.remove("c9")).toBe(false);
    expect(queue.takeAll((item) => item.endsWith("1"))).toEqual(["a1", "b1"]);
    expect(queue.size).toBe(2);
    expect(drain(queue).sort()).toEqual(["a3", "b2"]);
  });

  test("keeps its count, its order and its turns whatever happens", () => {
    const operation = fc.oneof(
      fc.record({ type: fc.constant("add" as const), group: fc.constantFrom("a", "b", "c") }),
      fc.record({ type: fc.constantFrom("take" as const, "remove" as const, "back" as const) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const queue = queueOf();
        const model = new Map<string, string[]>();
        let next = 0;
        for (const step of operations) {
          if (step.type === "add") {
            const item = `${step.group}${next++}`;
            queue.add(item);
            model.set(step.group, [...(model.get(step.group) ?? []), item]);
          } else {
            const item = queue.peek();
            if (item === undefined) continue;
            const group = model.get(item[0]!)!;
            expect(group[0]).toBe(item);
            if (step.type === "remove") expect(queue.remove(item)).toBe(true);
            else expect(queue.take()).toBe(item);
            if (step.type === "back") queue.putBack([item]);
            else group.shift();
          }
          expect(queue.size).toBe([...model.values()].flat().length);
        }
        const left = [...model.values()].filter(({ length }) => length > 0);
        const first = drain(queue).slice(0, left.length);
        expect(new Set(first.map((item) => item[0])).size).toBe(left.length);
      }),
    );
  });

  test("does not slow down as it grows", () => {
    const queue = new FairQueue<number>((item) => `${item % 2}`);
    for (let i = 0; i < 200_000; i++) queue.add(i);
    const started = performance.now();
    while (queue.take() !== undefined);
    expect(performance.now() - started).toBeLessThan(1000);
  });
});
