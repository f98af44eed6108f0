import type { DurableObjectState, WebSocket as Socket } from "@cloudflare/workers-types";
import type { HostState } from "../server/host-state.ts";

declare const WebSocketPair: new () => { readonly 0: Socket; readonly 1: Socket };
declare const WebSocketRequestResponsePair: new (request: string, response: string) => never;

/** What an object remembers of a socket while it sleeps. */
interface Attachment {
  /** Id of the run whose events it wants. */
  readonly run: string;
  /** Number of the last event that was sent. */
  readonly seen: number;
  /** Characters sent since the reader last said how far it has read. */
  readonly unread: number;
  /** Whether the reader ever says how far it has read. */
  readonly says: boolean;
}

/** So much is sent to a reader that does not say how far it has read, in characters; then it must connect again. */
const MOST_UNREAD = 16_000_000;
/** So much waits for a reader that says how far it has read. */
const WINDOW = 2_000_000;
/** So much for all readers together. An object has 128 MB. */
const MOST_TOGETHER = 48_000_000;

const ENDED = 1000;
const REFUSED = 1008;
const TRY_AGAIN = 1013;

/**
 * The sockets on which events of runs are sent. The runtime keeps them while the object sleeps, with what they have seen
 * attached. Each event is a message of JSON; nothing is sent twice, and nothing is left out.
 *
 * The runtime does not tell how much of what was sent still waits in memory for a slow reader. One that sends
 * `{"seen":N}` now and then, N being the number of the last event that it has read, is sent no more than it reads. Any
 * other is cut off when very much was sent, with the code 1013, and goes on by connecting again. To `ping` the runtime
 * answers `pong` by itself.
 */
export class EventSockets {
  readonly #ctx: DurableObjectState;
  readonly #state: HostState;

  constructor(ctx: DurableObjectState, state: HostState) {
    this.#ctx = ctx;
    this.#state = state;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** Answers a request for the events of a run after a number. */
  accept(run: string, after: number): Response {
    const { 0: client, 1: socket } = new WebSocketPair();
    // Where nothing more will come, nothing has to be kept.
    if (this.#hasEnded(run)) socket.accept();
    else this.#ctx.acceptWebSocket(socket, [run]);
    this.#send(socket, { run, seen: after, unread: 0, says: false });
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  }

  /** Sends what is new to all that want events of a run, and closes their sockets if it has ended. */
  tell(run: string): void {
    this.#sendAll(this.#ctx.getWebSockets(run));
  }

  /** Sends what is new to everybody, as is due when the object wakes up. */
  tellAll(): void {
    this.#sendAll(this.#ctx.getWebSockets());
  }

  #sendAll(sockets: readonly Socket[]): void {
    for (const socket of sockets) {
      try {
        this.#send(socket, attachmentOf(socket));
      } catch {
        // It was closed meanwhile.
      }
    }
  }

  /** Hears what a reader says. */
  hear(socket: Socket, message: string | ArrayBuffer): void {
    const read = readSeen(message);
    const attachment = attachmentOf(socket);
    if (read === undefined) socket.close(REFUSED, 'Expected ping or {"seen":NUMBER}');
    else if (read >= attachment.seen) this.#send(socket, { ...attachment, unread: 0, says: true });
    else if (!attachment.says) socket.serializeAttachment({ ...attachment, says: true });
  }

  #send(socket: Socket, { run, seen, unread, says }: Attachment): void {
    for (;;) {
      if (says && unread > WINDOW) break;
      const events = this.#state.events(run, seen);
      if (events.length === 0) {
        if (!this.#hasEnded(run)) break;
        socket.close(ENDED, "The execution has ended");
        return;
      }
      for (const event of events) {
        const text = JSON.stringify(event);
        socket.send(text);
        unread += text.length;
      }
      seen = events.at(-1)!.seq;
      if (!says && (unread > MOST_UNREAD || (unread > WINDOW && this.#unread() > MOST_TOGETHER))) {
        socket.close(TRY_AGAIN, `Connect again with ?after=${seen}`);
        return;
      }
    }
    socket.serializeAttachment({ run, seen, unread, says } satisfies Attachment);
  }

  #hasEnded(run: string): boolean {
    const status = this.#state.run(run)?.status;
    return status !== "QUEUED" && status !== "RUNNING";
  }

  /** Characters that may wait for all readers together. */
  #unread(): number {
    let sum = 0;
    for (const socket of this.#ctx.getWebSockets()) sum += attachmentOf(socket).unread;
    return sum;
  }
}

const attachmentOf = (socket: Socket): Attachment => socket.deserializeAttachment() as Attachment;

/** The number of the last event that a reader has read. @returns nothing if it says something else */
function readSeen(message: string | ArrayBuffer): number | undefined {
  if (typeof message !== "string" || message.length > 100) return undefined;
  const [, number] = /^\s*\{\s*"seen"\s*:\s*(\d{1,12})\s*\}\s*$/.exec(message) ?? [];
  return number === undefined ? undefined : Number(number);
}
