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
/**
 * Tells a channel its number and the name of this call until that is heard there, which the call's name alone says; then
 * takes its time. A message may be lost while other workers end.
 */
export const note: Task<[channel: string, id: number, ms: number], Promise<number>> = tests.task(
  { name: "note", version },
  async (name: string, id: number, ms: number): Promise<number> => {
    const channel = new globalThis.TestChannel(name);
    const call = crypto.randomUUID();
    const tell = (): void => channel.postMessage([id, call]);
    await new Promise<void>((resolve) => {
      const repeat = setInterval(tell, 250);
      channel.onmessage = ({ data }) => {
        if (data !== call) return;
        clearInterval(repeat);
        resolve();
      };
      tell();
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
