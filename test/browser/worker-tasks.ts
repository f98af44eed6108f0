/** Tasks of the tests of Web Workers, which import this file by its address. */
import { type Namespace, namespace, type Task } from "../../src/index.ts";

const tests: Namespace = namespace("web_worker_tests");
const version = "1";

/** Where and when a task ran. */
export interface Place {
  readonly worker: string;
  readonly started: number;
  readonly ended: number;
}

declare global {
  /** What a job worker has of BroadcastChannel in these tests only. */
  var TestChannel: typeof BroadcastChannel;
}

const worker = crypto.randomUUID();

export const busy: Task<[ms: number], Place> = tests.task({ name: "busy", version }, (ms: number): Place => {
  const started = Date.now();
  while (Date.now() - started < ms);
  return { worker, started, ended: Date.now() };
});
/** Adds its number to a channel's messages, waits until it is heard there (as `-1 - id`), then takes its time. */
export const note: Task<[channel: string, id: number, ms: number], Promise<number>> = tests.task(
  { name: "note", version },
  async (name: string, id: number, ms: number): Promise<number> => {
    const channel = new globalThis.TestChannel(name);
    await new Promise<void>((resolve) => {
      channel.onmessage = ({ data }) => {
        if (data === -1 - id) resolve();
      };
      channel.postMessage(id);
    });
    channel.close();
    const started = Date.now();
    while (Date.now() - started < ms);
    return id;
  },
);
export const leave: Task<[], Promise<never>> = tests.task({ name: "leave", version }, () => {
  console.log("about to close");
  self.close();
  return new Promise<never>(() => {});
});
/** Lets an error escape while the job goes on. */
export const stray: Task<[how: "throw" | "reject"], Promise<never>> = tests.task(
  { name: "stray", version },
  (how: "throw" | "reject") => {
    const error = new Error("stray error");
    if (how === "throw") {
      setTimeout(() => {
        throw error;
      });
    } else void Promise.reject(error);
    return new Promise<never>(() => {});
  },
);
export const printAll: Task<[], undefined> = tests.task({ name: "print_all", version }, () => {
  console.log("%s has %d of %o", "a", "2", { b: [1] }, "more", 3, [4]);
  console.warn("two\nlines");
  console.error(new RangeError("an error"));
  console.log("100%");
  return undefined;
});
export const size: Task<[text: string], number> = tests.task({ name: "size", version }, (text: string) => {
  return text.length;
});
export const text: Task<[length: number], string> = tests.task({ name: "text", version }, (length: number) =>
  "x".repeat(length),
);
