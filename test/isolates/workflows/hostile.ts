/** Replaces parts of the isolate's own runtime to say what it likes. */
import { AsyncLocalStorage } from "node:async_hooks";
import { task } from "redun";

interface Port {
  tell(messages: unknown): Promise<void>;
  call(operation: unknown, args: unknown): Promise<unknown>;
  [name: string]: (...args: unknown[]) => Promise<unknown>;
}

let port: Port | undefined;
/** Gives what the owner gets to tell this isolate something, in the place of the runtime's. */
let control: (() => unknown) | undefined;
const tell = (to: Port, ...args: unknown[]) => (to.tell as (...args: unknown[]) => Promise<void>)(...args);
const { run } = AsyncLocalStorage.prototype as unknown as {
  run(store: unknown, ...rest: unknown[]): unknown;
};
AsyncLocalStorage.prototype.run = function (this: unknown, store: unknown, ...rest: unknown[]) {
  if (typeof (store as Port).tell === "function") {
    port = store as Port;
    if (control !== undefined) void tell(port, [], control()).catch(() => {});
  }
  return run.call(this, store, ...rest);
} as never;

const forever = () => new Promise((resolve) => setTimeout(resolve, 1_000));

/** Says something in the place of the runtime. The task itself is the first of its batch. */
task("hostile.say", async (what: string) => {
  const said: Record<string, unknown> = {
    nothing: undefined,
    text: "result",
    stranger: [{ type: "result", job: 99, result: { ok: true, value: "1" } }],
    prototype: [{ type: "result", job: "__proto__", result: { ok: true, value: "1" } }],
    kind: [{ type: "whatever", job: 0 }],
    unreadable: [{ type: "result", job: 0, result: { ok: true, value: new Uint8Array([255, 254]) } }],
    number: [{ type: "result", job: 0, result: { ok: true, value: 5 } }],
    error: [{ type: "result", job: 0, result: { ok: false, error: '{"record":{"name":1}}' } }],
    cause: [{ type: "result", job: 0, result: { ok: false, error: '{"value":"[","record":{}}' } }],
    log: [{ type: "log", job: 0, lines: [{}] }],
    evaluate: [{ type: "evaluate", job: 0, id: {}, expression: "1" }],
    functions: [{ type: "result", job: 0, result: { ok: true, value: () => "1" } }],
  };
  await port!.tell(said[what]);
  await forever();
});

/** Gives text as its result that is no encoding of a value. */
task("hostile.garble", async (text: string) => {
  await port!.tell([{ type: "result", job: 0, result: { ok: true, value: text } }]);
  await forever();
});

/** Prints without end. */
task("hostile.flood", async () => {
  const lines = Array.from({ length: 1000 }, () => "line");
  for (let i = 0; i < 100; i++) await port!.tell([{ type: "log", job: 0, lines }]);
  return "done";
});

/** Awaits very much at a time. */
task("hostile.greedy", async () => {
  const expression = "1".repeat(10_000_000);
  for (let id = 1; id <= 20; id++) await port!.tell([{ type: "evaluate", job: 0, id, expression }]);
  await forever();
});

/** Looks for more than it was given. */
task("hostile.probe", async () => {
  const found: string[] = [];
  for (const name of ["unfinished", "close", "hear", "told", "cancel", "broken", "entries"]) {
    await port![name]!().then(
      () => found.push(name),
      () => {},
    );
  }
  return found;
});

/** Asks the owner's files for what is none of its business. */
task("hostile.pry", async (operation: unknown, args: unknown) => {
  const reply = (await port!.call(operation, args)) as {
    ok: boolean;
    error?: { record: { message: string } };
  };
  return reply.ok ? "answered" : reply.error!.record.message;
});

task("hostile.fine", (n: number) => n + 1);

const ever = () => new Promise((resolve) => setTimeout(resolve, 600_000));

task("hostile.sleep", ever);

/** Goes on for ever, and does not hear that it is not wanted. */
task("hostile.deaf", async () => {
  Map.prototype.get = () => undefined;
  await ever();
});

const controls: Record<string, () => unknown> = {
  text: () => ({ dup: "x" }),
  silent: () => ({ dup: () => ({ tell: () => ever() }) }),
  failing: () => ({ dup: () => Promise.reject(new Error("no")) }),
};

/** From the next batch on, the owner gets something else to tell this isolate something. */
task("hostile.control", (what: string) => {
  control = controls[what];
  return what;
});
