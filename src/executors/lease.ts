/**
 * How a worker and its owner agree on what has begun where they share no memory. Jobs wait at the worker under a lease,
 * a time until which it may begin them. It announces each job, then looks at the clock once more, then begins it. So
 * once the time is over, and all that had arrived by then is handled, its owner knows each job that has begun, even
 * while one of them keeps the worker from reading its messages.
 *
 * This holds where a message has arrived when `postMessage` returns, as between the workers of one tab, whose clocks
 * are the same.
 *
 * @module
 */

/** Milliseconds that a lease lasts. */
const LENGTH = 40;
/** Milliseconds by which clocks may differ. */
const SLACK = 10;

/** Milliseconds on a clock that is the same in all workers of a tab. */
const now = (): number => performance.timeOrigin + performance.now();

/** The owner's side. */
export class Lease {
  private until = 0;

  /** Whether much of its time is over. */
  get isShort(): boolean {
    return this.until - now() < LENGTH / 2;
  }

  /** Prolongs it. @returns until when it lasts, for the worker */
  renew(): number {
    this.until = now() + LENGTH;
    return this.until;
  }

  /** Calls a function when what the worker has begun is known. It must not be renewed in between. */
  whenOver(then: () => void): void {
    setTimeout(() => afterMessages(then), Math.max(0, this.until - now()) + SLACK);
  }
}

/** The worker's side: whether a job may begin. @param announce - tells the owner that it has begun, or not after all */
export function mayBegin(until: number, announce: (begun: boolean) => void): boolean {
  if (now() >= until) return false;
  announce(true);
  if (now() < until) return true;
  announce(false);
  return false;
}

/** Calls a function when the messages that have arrived here are handled. */
export function afterMessages(then: () => void): void {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => {
    port1.close();
    then();
  };
  port2.postMessage(null);
}
