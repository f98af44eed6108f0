import { ApiError } from "./api-error.ts";
import type { Principal } from "./directory.ts";

/** What {@link Listeners} work with. */
export interface ListenersOptions {
  /** Which of some tokens may still read the repository. */
  readonly allowed: (tokenIds: readonly string[]) => Promise<ReadonlySet<string>>;
  /** Most streams of events that are open at once. Default 1000. */
  readonly maxStreams?: number | undefined;
  /** Most of them that one token has open. Default 200. */
  readonly maxTokenStreams?: number | undefined;
  /** How many streams there are besides those that were added here, of all tokens or of one. */
  readonly others?: ((tokenId?: string) => number) | undefined;
}

interface Listener {
  readonly tokenId: string;
  readonly end: () => void;
}

/** Milliseconds in which somebody who may no longer listen is noticed. */
const CHECK = 10_000;

/** Those who listen to events of a repository: how many there may be, and whether they still may. */
export class Listeners {
  private readonly options: ListenersOptions;
  private readonly open = new Set<Listener>();
  private timer: ReturnType<typeof setInterval> | undefined = undefined;

  constructor(options: ListenersOptions) {
    this.options = options;
  }

  /** @throws ApiError with status 429 if there are too many to let another one in */
  checkRoom({ tokenId }: Principal): void {
    const { maxStreams = 1000, maxTokenStreams = 200, others = () => 0 } = this.options;
    const own = [...this.open].filter((listener) => listener.tokenId === tokenId).length + others(tokenId);
    if (this.open.size + others() < maxStreams && own < maxTokenStreams) return;
    const most = own >= maxTokenStreams ? `${maxTokenStreams} with one token` : `${maxStreams} together`;
    throw new ApiError(429, "too-many-streams", `Cannot send events: there are ${most} already`, {
      hint: "Close streams that nobody looks at.",
      retryAfter: 10,
    });
  }

  /**
   * Lets somebody in.
   *
   * @param end - called when the token may no longer listen
   * @returns what is to be called when the listener has gone
   * @throws ApiError with status 429 if there are too many
   */
  add(principal: Principal, end: () => void): () => void {
    this.checkRoom(principal);
    const listener = { tokenId: principal.tokenId, end };
    this.open.add(listener);
    this.timer ??= setInterval(() => void this.check(), CHECK);
    return () => {
      this.open.delete(listener);
      if (this.open.size > 0) return;
      clearInterval(this.timer);
      this.timer = undefined;
    };
  }

  private async check(): Promise<void> {
    try {
      const allowed = await this.options.allowed([...new Set([...this.open].map(({ tokenId }) => tokenId))]);
      for (const { tokenId, end } of this.open) if (!allowed.has(tokenId)) end();
    } catch {
      // The directory can't be asked now; next time.
    }
  }
}
