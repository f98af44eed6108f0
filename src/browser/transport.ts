import { expose, type Remote, wrap } from "comlink";
import type { ErrorRecord } from "../errors/redun-error.ts";
import { asError, errorRecord, fromJobError } from "../executor/job-error.ts";
import type { EngineApi, EngineEvent, EngineFiles, EngineRecords, EngineRuns } from "./engine-api.ts";

/**
 * How pages and the engine of a repository find and talk to each other, whichever tab it runs in: over one broadcast
 * channel. Calls are comlink's; each page has an id, and takes only what is for it.
 *
 * @module
 */

/** A message on the channel. */
export type Message =
  /** A page asks whether there is an engine. */
  | { readonly kind: "hello" }
  /** The engine is here: said to a hello, and when it has started. */
  | { readonly kind: "engine"; readonly engine: string }
  | { readonly kind: "events"; readonly engine: string; readonly events: readonly EngineEvent[] }
  /** One of comlink's, between a page and an engine. */
  | { readonly kind: "call"; readonly from: string; readonly to: string; readonly data: unknown };

/** The name of a repository's channel. */
export const channelName = (repo: string): string => `redun-engine-${repo}`;

/** The answer to a call. comlink would keep no more of an error than its message. */
type Answer =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorRecord };

/** What an engine exposes: all methods through one, so that an error keeps its code, hint and fields. */
interface Calls {
  call(method: string, args: readonly unknown[]): Promise<Answer>;
}

type Methods = Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;

type Listener = (event: MessageEvent) => void;

/** One side of a connection over a channel that many share. */
class SharedEndpoint {
  private readonly channel: BroadcastChannel;
  private readonly own: string;
  private readonly other: string;
  private readonly listeners = new Map<unknown, Listener>();

  constructor(channel: BroadcastChannel, own: string, other: string) {
    this.channel = channel;
    this.own = own;
    this.other = other;
  }

  postMessage(data: unknown): void {
    try {
      this.channel.postMessage({ kind: "call", from: this.own, to: this.other, data } satisfies Message);
    } catch (error) {
      // comlink says goodbye when it is collected, which may be after the channel was closed.
      if ((error as Error).name !== "InvalidStateError") throw error;
    }
  }

  addEventListener(_type: string, listener: EventListenerOrEventListenerObject): void {
    const filter = ({ data: message }: MessageEvent<Message>): void => {
      if (message.kind !== "call" || message.to !== this.own || message.from !== this.other) return;
      const event = new MessageEvent("message", { data: message.data });
      if (typeof listener === "function") listener(event);
      else listener.handleEvent(event);
    };
    this.listeners.set(listener, filter);
    this.channel.addEventListener("message", filter);
  }

  removeEventListener(_type: string, listener: EventListenerOrEventListenerObject): void {
    const filter = this.listeners.get(listener);
    if (filter !== undefined) this.channel.removeEventListener("message", filter);
    this.listeners.delete(listener);
  }
}

/**
 * Offers an engine on its repository's channel.
 *
 * @param api - the objects that have the engine's methods between them
 * @returns what ends that, and what tells pages of events
 */
export function offerEngine(
  channel: BroadcastChannel,
  id: string,
  ...api: readonly [EngineRuns & EngineRecords, EngineFiles]
): { close(): void; emit(events: readonly EngineEvent[]): void } {
  const pages = new Set<string>();
  const calls: Calls = {
    async call(method, args) {
      try {
        if (!METHODS.has(method)) throw new TypeError(`The engine has no method ${method}`);
        const part = api.find((candidate) => method in candidate) as unknown as Methods;
        return { ok: true, value: await part[method]!(...args) };
      } catch (error) {
        return { ok: false, error: plainRecord(error) };
      }
    },
  };
  const send = (message: Message): void => channel.postMessage(message);
  channel.addEventListener("message", ({ data: message }: MessageEvent<Message>) => {
    if (message.kind === "hello") send({ kind: "engine", engine: id });
    if (message.kind !== "call" || message.to !== id || pages.has(message.from)) return;
    pages.add(message.from);
    const endpoint = new SharedEndpoint(channel, id, message.from);
    let first: Listener | undefined;
    expose(calls, {
      postMessage: (data: unknown) => endpoint.postMessage(data),
      addEventListener: (type: string, listener: EventListenerOrEventListenerObject) => {
        first = listener as Listener;
        endpoint.addEventListener(type, listener);
      },
      removeEventListener: (type: string, listener: EventListenerOrEventListenerObject) =>
        endpoint.removeEventListener(type, listener),
    });
    // The message that made the page known is a call already.
    first?.(new MessageEvent("message", { data: message.data }));
  });
  send({ kind: "engine", engine: id });
  return { close: () => channel.close(), emit: (events) => send({ kind: "events", engine: id, events }) };
}

/** The methods that pages may call. */
const METHODS: ReadonlySet<string> = new Set([
  "info",
  "build",
  "getPackage",
  "start",
  "outcome",
  "cancel",
  "eventsAfter",
  "log",
  "query",
  "exportRecords",
  "reachable",
  "importRecords",
  "importDatabase",
  "listFiles",
  "readFile",
  "addFile",
  "removeFile",
  "pick",
  "picks",
  "findPicked",
  "listPicked",
] satisfies (keyof EngineApi)[]);

/** An error's record, in which everything can be cloned. */
export function plainRecord(error: unknown): ErrorRecord {
  const record = errorRecord(asError(error));
  try {
    return structuredClone(record);
  } catch {
    const { fields: _fields, cause: _cause, ...rest } = record;
    return rest;
  }
}

/** The calls of one engine, from a page. */
export function callEngine(
  channel: BroadcastChannel,
  page: string,
  engine: string,
): (method: string, args: readonly unknown[]) => Promise<unknown> {
  const remote: Remote<Calls> = wrap<Calls>(new SharedEndpoint(channel, page, engine));
  return async (method, args) => {
    const answer = (await remote.call(method, args)) as Answer;
    if (answer.ok) return answer.value;
    const { fields } = answer.error;
    throw Object.assign(fromJobError({ value: undefined, record: answer.error }), fields && { fields });
  };
}
