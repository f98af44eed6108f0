import { execFile } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

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

/** The tickets at a place that the owner made. */
export function openTickets(place: TicketPlace): Tickets {
  return typeof place === "string" ? new PipeTickets(place) : new SharedTickets(place);
}

class SharedTickets implements Tickets {
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

/** A named pipe holds one byte a ticket; the kernel gives each byte to one reader only. */
class PipeTickets implements Tickets {
  private readonly fd: number;
  private readonly bytes = new Uint8Array(64);

  constructor(path: string) {
    // Open for both, so that it never ends and neither side waits for the other.
    this.fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  }

  add(count: number): void {
    writeSync(this.fd, this.bytes, 0, count);
  }

  take(most: number): number {
    try {
      return readSync(this.fd, this.bytes, 0, most, null);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EAGAIN") return 0;
      throw error;
    }
  }

  close(): void {
    closeSync(this.fd);
  }
}

/** A place for tickets, as the owner makes it. */
export interface NewTickets {
  readonly tickets: Tickets;
  readonly place: TicketPlace;
  /** To be called when the other side has opened them, or never will. */
  opened(): void;
}

/** Tickets for a thread of this process. */
export function threadTickets(): NewTickets {
  const place = new SharedArrayBuffer(4);
  return { tickets: new SharedTickets(place), place, opened: () => {} };
}

/** Tickets for another process, or `undefined` where there are no named pipes. */
export async function processTickets(): Promise<NewTickets | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "redun-tickets-"));
  const opened = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const place = join(folder, "pipe");
    await new Promise<void>((resolve, reject) => {
      execFile("mkfifo", ["-m", "600", place], (error) => (error === null ? resolve() : reject(error)));
    });
    return { tickets: new PipeTickets(place), place, opened };
  } catch {
    opened();
    return undefined;
  }
}
