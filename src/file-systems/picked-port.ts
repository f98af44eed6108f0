/**
 * How a worker asks its owner for files that were picked. Files travel by reference, so their content does not.
 *
 * @module
 */
import type { PickedSource } from "./picked.ts";

interface Question {
  readonly id: number;
  readonly method: keyof PickedSource;
  readonly path: string;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  /** Message of what went wrong. */
  readonly error?: string;
}

/** Answers what is asked on a port. */
export function servePicked(source: PickedSource, port: MessagePort): void {
  port.onmessage = async ({ data: { id, method, path } }: MessageEvent<Question>) => {
    let answer: Answer;
    try {
      const isKnown = method === "findPicked" || method === "listPicked";
      if (!isKnown || typeof path !== "string") throw new TypeError("Cannot answer: that is no question");
      answer = { id, value: await source[method](path) };
    } catch (error) {
      answer = { id, error: String((error as Error).message) };
    }
    port.postMessage(answer);
  };
}

/** The source at the other end of a port, which may come later. */
export function pickedOverPort(port: Promise<MessagePort>): PickedSource {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let last = 0;
  void port.then((opened) => {
    opened.onmessage = ({ data: { id, value, error } }: MessageEvent<Answer>) => {
      const asked = waiting.get(id);
      waiting.delete(id);
      if (error === undefined) asked?.resolve(value);
      else asked?.reject(new Error(error));
    };
  });
  const ask = async (method: keyof PickedSource, path: string): Promise<unknown> => {
    const id = ++last;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    (await port).postMessage({ id, method, path } satisfies Question);
    return answer.promise;
  };
  return {
    findPicked: (path) => ask("findPicked", path) as ReturnType<PickedSource["findPicked"]>,
    listPicked: (folder) => ask("listPicked", folder) as ReturnType<PickedSource["listPicked"]>,
  };
}
