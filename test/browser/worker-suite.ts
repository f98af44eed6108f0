/**
 * Runs tests inside a dedicated worker, as tests of the page: what they test works in a worker only.
 *
 * The worker defines its tests with {@link serveSuite}; the page makes a test of each with {@link adoptSuite}.
 *
 * @module
 */
import type { TestFunctions } from "../../src/util/test-functions.ts";

/** What a page hears from a worker. */
type Message =
  | { readonly type: "tests"; readonly names: readonly string[]; readonly skipped: readonly string[] }
  | { readonly type: "result"; readonly name: string; readonly error: string | undefined };

/** Collects the tests that `define` defines, and runs those that the page asks for. */
export function serveSuite(define: (functions: Omit<TestFunctions, "expect">) => void): void {
  const tests = new Map<string, () => Promise<void>>();
  const skipped: string[] = [];
  const path: string[] = [];
  const name = (title: string): string => [...path, title].join(" > ");
  const test = Object.assign((title: string, run: () => Promise<void>) => void tests.set(name(title), run), {
    skip: (title: string) => void skipped.push(name(title)),
  });
  define({
    describe: (title, body) => {
      path.push(title);
      body();
      path.pop();
    },
    test,
  });
  const reply = (message: Message): void => self.postMessage(message);
  self.addEventListener("message", async ({ data }: MessageEvent<string>) => {
    try {
      await tests.get(data)!();
      reply({ type: "result", name: data, error: undefined });
    } catch (error) {
      reply({ type: "result", name: data, error: (error as Error).stack ?? String(error) });
    }
  });
  reply({ type: "tests", names: [...tests.keys()], skipped });
}

/** Defines a test for each test of a worker. */
export async function adoptSuite(
  worker: Worker,
  test: ((name: string, run: () => Promise<void>) => void) & { skip(name: string, run: () => void): void },
): Promise<void> {
  const waiting = new Map<string, PromiseWithResolvers<void>>();
  const { names, skipped } = await new Promise<Extract<Message, { type: "tests" }>>((resolve, reject) => {
    worker.onerror = (event) => reject(new Error(event.message));
    worker.onmessage = ({ data }: MessageEvent<Message>) => {
      if (data.type === "tests") resolve(data);
      else if (data.error === undefined) waiting.get(data.name)!.resolve();
      else waiting.get(data.name)!.reject(new Error(data.error));
    };
  });
  for (const name of names) {
    test(name, () => {
      const result = Promise.withResolvers<void>();
      waiting.set(name, result);
      worker.postMessage(name);
      return result.promise;
    });
  }
  for (const name of skipped) test.skip(name, () => {});
}
