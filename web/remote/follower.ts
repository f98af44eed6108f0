import type { EngineEvent } from "../../src/browser/engine-api.ts";
import type { RepoClient } from "../../src/server/client.ts";
import { engineEvent } from "./remote-events.ts";

/** An event of an engine that has no number yet. */
export type News = Unnumbered<EngineEvent>;
type Unnumbered<E> = E extends unknown ? Omit<E, "seq"> : never;

/** Milliseconds in which events gather before they are told. */
const GATHER = 50;

/**
 * Follows one execution of an instance. While nobody sees the page it lets go of its connection, and goes on later where
 * it was: the instance keeps the events.
 */
export class Follower {
  private readonly repo: RepoClient;
  private readonly id: string;
  private readonly tell: (events: readonly News[]) => void;
  /** Number of the last event that was seen. */
  private seen = 0;
  /** The execution that is at work: another goes on in the place of one that was interrupted. */
  private current: string;
  private stop: AbortController | undefined;

  constructor(repo: RepoClient, id: string, tell: (events: readonly News[]) => void) {
    this.repo = repo;
    this.id = id;
    this.current = id;
    this.tell = tell;
  }

  /** Follows until the execution has ended, or until it is told to pause. @returns whether it has ended */
  async run(): Promise<boolean> {
    if (this.stop !== undefined) return false;
    const stop = new AbortController();
    this.stop = stop;
    try {
      while (!stop.signal.aborted) {
        await untilVisible(stop.signal);
        const ended = await this.readOn(stop.signal);
        if (ended) return true;
      }
      return false;
    } finally {
      if (this.stop === stop) this.stop = undefined;
    }
  }

  /** Lets go of the connection. */
  pause(): void {
    this.stop?.abort();
    this.stop = undefined;
  }

  /** Reads events until the last, or until the page is hidden. */
  private async readOn(stopped: AbortSignal): Promise<boolean> {
    const hidden = new AbortController();
    const onChange = (): void => {
      if (document.hidden) hidden.abort();
    };
    document.addEventListener("visibilitychange", onChange);
    let gathered: News[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const flush = (): void => {
      clearTimeout(timer);
      timer = undefined;
      if (gathered.length > 0) this.tell(gathered);
      gathered = [];
    };
    const signal = AbortSignal.any([stopped, hidden.signal]);
    try {
      for await (const event of this.repo.events(this.id, { after: this.seen, signal })) {
        this.seen = event.seq;
        if (event.type === "execution-start" || event.type === "execution-end")
          this.current = event.executionId;
        gathered.push(...engineEvent(event, this.current));
        timer ??= setTimeout(flush, GATHER);
        if (event.type === "execution-end") return true;
      }
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    } finally {
      flush();
      document.removeEventListener("visibilitychange", onChange);
    }
  }
}

function untilVisible(stopped: AbortSignal): Promise<void> {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      if (document.hidden && !stopped.aborted) return;
      document.removeEventListener("visibilitychange", done);
      stopped.removeEventListener("abort", done);
      resolve();
    };
    document.addEventListener("visibilitychange", done);
    stopped.addEventListener("abort", done);
  });
}
