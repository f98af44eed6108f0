/** So many promises' steps without anything new count as quiet; a job's last ones take about as many. */
const STEPS = 10;

/** Whoever keeps adding is not waited for longer than this many times. */
const ROUNDS = 50;

/**
 * Waits until what is gathered in this turn is together, without a timer, which may take more than a millisecond.
 *
 * @param count - how much there is so far
 */
export async function whenQuiet(count: () => number): Promise<void> {
  let seen = -1;
  for (let round = 0; round < ROUNDS && count() !== seen; round++) {
    seen = count();
    for (let step = 0; step < STEPS; step++) await undefined;
  }
}
