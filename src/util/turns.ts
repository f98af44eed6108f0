import { FairQueue } from "./fair-queue.ts";

interface Waiting {
  readonly group: string;
  go(): void;
}

/** Lets so many pieces of work run at once; the others wait, and their groups take turns. */
export class Turns {
  private readonly waiting = new FairQueue<Waiting>(({ group }) => group);
  private free: number;

  constructor(most: number) {
    this.free = most;
  }

  /** @param group - what the work belongs to, so that much of one group keeps little of another waiting no longer */
  async take<T>(work: () => Promise<T>, group = ""): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((go) => this.waiting.add({ group, go }));
    try {
      return await work();
    } finally {
      const next = this.waiting.take();
      if (next === undefined) this.free++;
      else next.go();
    }
  }
}
