/** What this runtime prints, in hand. */
export interface CapturedOutput {
  /** Adds a line of its own. */
  line(line: string): void;
  /** Hands over what there is, half a line included. */
  flush(): void;
}

/** Lines go out at once, but after so many in so many milliseconds some at a time. */
const MANY = 50;
const PAUSE = 50;

/** Hands lines to a listener, some at a time if there are many. */
export function paceOutput(listener: (lines: readonly string[]) => void): CapturedOutput {
  const pending: string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let since = 0;
  let sent = 0;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending.length === 0) return;
    sent++;
    listener(pending.splice(0));
  };
  const line = (text: string): void => {
    pending.push(text);
    // A job that computes keeps timers waiting, so the clock is asked as well.
    const now = Date.now();
    if (now - since > PAUSE) {
      since = now;
      sent = 0;
    }
    if (sent < MANY || pending.length >= MANY) flush();
    else timer ??= setTimeout(flush, PAUSE);
  };
  return { line, flush };
}
