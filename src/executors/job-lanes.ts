/** What waits for a place. */
export interface Laned {
  /** The jobs of a lane are in order; lanes take turns. */
  readonly lane: string;
  /** Whether it needs no place any more. */
  readonly done: boolean;
}

/**
 * Jobs that wait, in lanes which take turns: so many of one lane, then as many of the next. One execution's thousands of
 * jobs thus don't keep another's single one waiting.
 */
export class JobLanes<T extends Laned> {
  readonly #lanes = new Map<string, T[]>();
  readonly #turn: number;
  /** How many were ever added. */
  added = 0;

  /** @param turn - most jobs that a lane has taken at its turn */
  constructor(turn: number) {
    this.#turn = turn;
  }

  add(job: T): void {
    this.added++;
    const lane = this.#lanes.get(job.lane);
    if (lane === undefined) this.#lanes.set(job.lane, [job]);
    else lane.push(job);
  }

  /**
   * Takes jobs out, turn by turn, until no lane has room.
   *
   * @param room - how many of a lane, whose first job is given, may be taken now
   * @param taken - is given each job that is taken
   */
  take(room: (first: T) => number, taken: (job: T) => void): void {
    for (let moved = true; moved; ) {
      moved = false;
      for (const [name, lane] of [...this.#lanes]) {
        const first = lane.findIndex(({ done }) => !done);
        if (first > 0) lane.splice(0, first);
        const count = first < 0 ? 0 : Math.max(0, Math.min(this.#turn, lane.length, room(lane[0]!)));
        if (count > 0) {
          for (const job of lane.splice(0, count)) if (!job.done) taken(job);
          moved = true;
        }
        // A lane that had its turn comes last the next time.
        if (first < 0 || count > 0) this.#lanes.delete(name);
        if (first >= 0 && lane.length > 0 && count > 0) this.#lanes.set(name, lane);
      }
    }
  }

  /** Takes out all that wait. */
  clear(): T[] {
    const all = [...this.#lanes.values()].flat();
    this.#lanes.clear();
    return all;
  }
}
