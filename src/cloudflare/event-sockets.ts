import type { DurableObjectState, WebSocket as Socket } from "@cloudflare/workers-types";
import type { HostState } from "../server/host-state.ts";

declare const WebSocketPair: new () => { readonly 0: Socket; readonly 1: Socket };
declare const WebSocketRequestResponsePair: new (request: string, response: string) => never;

/** What an object remembers of a socket while it sleeps. */
interface Attachment {
  /** Id of the run whose events it wants. */
  readonly run: string;
  readonly tokenId: string;
  /** Number of the last event that was sent. */
  readonly seen: number;
  /** Characters that were sent. */
  readonly sent: number;
}

type Allowed = (tokenIds: readonly string[]) => Promise<ReadonlySet<string>>;

/** So much is sent on one socket, in characters. */
const MOST_SENT = 16_000_000;
/** So much on all sockets together, unless each has had little. An object has 128 MB. */
const MOST_TOGETHER = 48_000_000;
const LITTLE = 1_000_000;
/** Characters of the longest message that is ignored. */
const LONGEST_MESSAGE = 1000;

const ENDED = 1000;
const REFUSED = 1008;
const TOO_LONG = 1009;
const TRY_AGAIN = 1013;

/**
 * The sockets on which events of runs are sent. The runtime keeps them while the object sleeps, with what they have seen
 * attached. Each event is a message of JSON; nothing is sent twice, and nothing is left out. A socket is closed with the
 * code 1000 when its run has ended.
 *
 * The runtime does not tell how much of what was sent still waits in memory for a slow reader. So after very much a
 * socket is closed with the code 1013, and who connects again with `?after=` the last event that came gets the rest. To
 * `ping` the runtime answers `pong` by itself; what else a reader says is ignored.
 */
export class EventSockets {
  readonly #ctx: DurableObjectState;
  readonly #state: HostState;
  readonly #allowed: Allowed;

  /** @param allowed - which of some tokens may still listen */
  constructor(ctx: DurableObjectState, state: HostState, allowed: Allowed) {
    this.#ctx = ctx;
    this.#state = state;
    this.#allowed = allowed;
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  /** Answers a request for the events of a run after a number. */
  accept(run: string, after: number, tokenId: string): Response {
    const { 0: client, 1: socket } = new WebSocketPair();
    this.#ctx.acceptWebSocket(socket, [run, tokenId]);
    const attachment: Attachment = { run, tokenId, seen: after, sent: 0 };
    socket.serializeAttachment(attachment);
    this.#send(socket, attachment);
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

  /** How many there are, of all tokens or of one. */
  count(tokenId?: string): number {
    return this.#ctx.getWebSockets(tokenId).length;
  }

  /** Closes those whose tokens were taken back. */
  async closeRefused(): Promise<void> {
    const sockets = this.#ctx.getWebSockets();
    if (sockets.length === 0) return;
    const allowed = await this.#allowed([...new Set(sockets.map((socket) => attachmentOf(socket).tokenId))]);
    for (const socket of sockets) {
      if (allowed.has(attachmentOf(socket).tokenId)) continue;
      try {
        socket.close(REFUSED, "The token was taken back");
      } catch {
        // It was closed meanwhile.
      }
    }
  }

  /** Hears what a reader says. */
  hear(socket: Socket, message: string | ArrayBuffer): void {
    const length = typeof message === "string" ? message.length : message.byteLength;
    if (length > LONGEST_MESSAGE) socket.close(TOO_LONG, "Nothing is expected to be said here");
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

  #send(socket: Socket, { run, tokenId, seen, sent }: Attachment): void {
    for (;;) {
      const events = this.#state.events(run, seen);
      if (events.length === 0) break;
      for (const event of events) {
        const text = JSON.stringify(event);
        socket.send(text);
        sent += text.length;
      }
      seen = events.at(-1)!.seq;
      // Also of one that is closed now, since what was sent may wait in memory until its reader closes it too.
      socket.serializeAttachment({ run, tokenId, seen, sent } satisfies Attachment);
      if (sent > MOST_SENT || (sent > LITTLE && sent + this.#sent(socket) > MOST_TOGETHER)) {
        socket.close(TRY_AGAIN, `Connect again with ?after=${seen}`);
        return;
      }
    }
    if (this.#hasEnded(run)) socket.close(ENDED, "The execution has ended");
  }

  #hasEnded(run: string): boolean {
    const status = this.#state.run(run)?.status;
    return status !== "QUEUED" && status !== "RUNNING";
  }

  /** Characters that were sent to all others. */
  #sent(socket: Socket): number {
    let sum = 0;
    for (const other of this.#ctx.getWebSockets()) if (other !== socket) sum += attachmentOf(other).sent;
    return sum;
  }
}

const attachmentOf = (socket: Socket): Attachment => socket.deserializeAttachment() as Attachment;
