/**
 * Leaves to begin the jobs that wait at a worker. A worker takes one before each; its owner, to give jobs to another
 * worker, takes as many as there are left. So both agree on what has begun, even while a job keeps the worker from
 * reading its messages.
 */
export interface Tickets {
  add(count: number): void;
  /** Takes at most so many. @returns how many it got */
  take(most: number): number;
  close(): void;
}

/** Where the other side finds the tickets: shared memory for a thread, the path of a pipe for a process. */
export type TicketPlace = SharedArrayBuffer | string;

/** Tickets in memory that both sides see. */
export class SharedTickets implements Tickets {
  private readonly count: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.count = new Int32Array(buffer);
  }

  add(count: number): void {
    Atomics.add(this.count, 0, count);
  }

  take(most: number): number {
    for (;;) {
      const there = Atomics.load(this.count, 0);
      const got = Math.min(there, most);
      if (got === 0 || Atomics.compareExchange(this.count, 0, there, there - got) === there) return got;
    }
  }

  close(): void {}
}

/** A place for tickets, as the owner makes it. */
export interface NewTickets {
  readonly tickets: Tickets;
  readonly place: TicketPlace;
  /** To be called when the other side has opened them, or never will. */
  opened(): void;
}

/** Tickets for a thread of this process. */
export function sharedTickets(): NewTickets {
  const place = new SharedArrayBuffer(4);
  return { tickets: new SharedTickets(place), place, opened: () => {} };
}
