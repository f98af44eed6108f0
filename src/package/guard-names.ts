/** What the calls in guarded code are named. */
export interface GuardNames {
  /** An identifier that the code does not use. */
  readonly tick: string;
  /** What every insertion begins and ends with. */
  readonly open: string;
  readonly close: string;
}

/** Names that a package's code does not use. */
export function guardNames(code: string): GuardNames {
  let tick = "redunTick";
  while (code.includes(tick)) tick += "_";
  return { tick, open: `/*${tick}(*/`, close: `/*)${tick}*/` };
}

/** The text of guarded code as it was before. */
export function withoutGuards(text: string, { open, close }: GuardNames): string {
  let result = "";
  let from = 0;
  for (let start = text.indexOf(open); start >= 0; start = text.indexOf(open, from)) {
    result += text.slice(from, start);
    from = text.indexOf(close, start) + close.length;
  }
  return result + text.slice(from);
}
