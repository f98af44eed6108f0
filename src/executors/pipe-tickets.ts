import { execFile } from "node:child_process";
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type NewTickets, SharedTickets, type TicketPlace, type Tickets } from "./tickets.ts";

/** The tickets at a place that the owner made. */
export function openTickets(place: TicketPlace): Tickets {
  return typeof place === "string" ? new PipeTickets(place) : new SharedTickets(place);
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
