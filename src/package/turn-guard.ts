import { ExecutorError } from "../errors/errors.ts";

/**
 * Ends code that computes too long without a pause, in a runtime that does not do so itself: workerd on one's own
 * machine runs everything on one thread, so that an endless loop would stop all that it serves. The code of a package
 * calls {@link tick} in every loop and function; `loop-guard.ts` puts the calls there. Owns one clock for its isolate.
 *
 * 1. Between {@link beginTurn}, or the last pause, and now, there are at most so many milliseconds.
 * 2. Once they are over, every tick throws until the code pauses, so a `catch` does not keep a loop alive.
 *
 * @module
 */

/** The clock is looked at once in so many ticks; a power of two. */
const OFTEN = 1024;

/** Where the clock stands still, which it does while a module is first evaluated, so many ticks are too long. */
const MOST_TICKS = 2 ** 27;

let usual = Number.POSITIVE_INFINITY;
let limit = usual;
let mask = OFTEN - 1;
let ticks = 0;
let since = 0;
let waiting = false;

/** @param ms - the longest time without a pause */
export function limitTurns(ms: number): void {
  usual = ms;
}

/**
 * Says that code of a job begins to run.
 *
 * @param ms - the longest time until its first pause, if it is less than usual
 */
export function beginTurn(ms: number = usual): void {
  limit = Math.min(ms, usual);
  mask = OFTEN - 1;
  ticks = 0;
  since = Date.now();
  waiting = false;
}

/** Called by guarded code again and again. @throws ExecutorError when its time is over */
export function tick(): void {
  ticks++;
  if ((ticks & mask) === 0) look();
}

function look(): void {
  const now = Date.now();
  if (mask === 0 || (now === 0 ? ticks > MOST_TICKS : since > 0 && now - since > limit)) {
    // From now on each tick comes here.
    mask = 0;
    awaitPause();
    const time = limit < 1000 ? `${limit} ms` : `${limit / 1000} s`;
    const what = now === 0 ? "too long, while it was loaded," : `for more than ${time}`;
    throw new ExecutorError(`Cannot go on: the code computed ${what} without a pause`, {
      hint: "Look for an endless loop, or split the work into more tasks.",
    });
  }
  if (since === 0) since = now;
  awaitPause();
}

/** A timer ends only when the code that runs now has let go of the thread. */
function awaitPause(): void {
  if (waiting) return;
  try {
    setTimeout(() => beginTurn(), 0);
    waiting = true;
  } catch {
    // There are no timers while a module is first evaluated.
  }
}
