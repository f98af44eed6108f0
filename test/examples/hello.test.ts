import { expect, test } from "vitest";
import { Example } from "./example.ts";

test("hello greets, takes its results from the cache, and reruns what an edit concerns", async () => {
  const example = new Example("hello");
  const first = await example.run("main");
  expect(first.result).toBe("'Hello, World!'");
  expect(first.ran).toEqual(["hello.main()", "hello.planet()", "hello.greet(word='Hello', name='World')"]);

  const again = await example.run("main");
  expect([again.result, again.ran, again.cached.length]).toEqual(["'Hello, World!'", [], 3]);

  example.edit("workflow.ts", '"World"', '"Mars"');
  const edited = await example.run("main");
  expect(edited.result).toBe("'Hello, Mars!'");
  expect(edited.ran).toEqual(["hello.planet()", "hello.greet(word='Hello', name='Mars')"]);

  const other = await example.run("main --word Hi");
  expect(other.result).toBe("'Hi, Mars!'");
  expect(other.ran).toEqual(["hello.main(word='Hi')", "hello.greet(word='Hi', name='Mars')"]);
});
