import { FileError } from "../file/errors.ts";

/**
 * Regular expressions whose matching takes time in proportion to the text, where those of the runtime may take for ever:
 * patterns come from users, and are matched where others' work is done too. All ways to match are followed at the same
 * time, one character after another. Owns what the matchers of `picomatch` consist of, and nothing more.
 *
 * @see https://swtch.com/~rsc/regexp/regexp2.html
 * @module
 */

type Step =
  | { readonly type: "character"; readonly holds: (unit: number) => boolean }
  | { readonly type: "fork"; readonly to: readonly number[] }
  | { readonly type: "assert"; readonly holds: (text: string, at: number) => boolean }
  | { readonly type: "end" };

/** Makes the steps of a part of an expression, which begin at a place and go on at the next free one. */
type Part = (steps: Step[]) => void;

/** Steps that all matches together may take, and more for each character. */
const ALLOWANCE = 1_000_000;
const PER_CHARACTER = 200;
const MOST_STEPS = 10_000;
/** Ways to match that the runtime may try one after the other. */
const MOST_WAYS = 64;

/** The steps that are left to a matcher. */
interface Budget {
  left: number;
}

/**
 * A function that says whether a text matches.
 *
 * @param source - of an expression without flags that begins with `^`
 * @param pattern - what errors call it
 * @throws FileError for what is not known here, and when matching takes too many steps
 */
export function boundedMatcher(source: string, pattern: string): (text: string) => boolean {
  const refuse = (state: string): never => {
    throw new FileError("file", "match", pattern, state, {
      hint: "Use *, ?, **, [a-z] and {a,b}, and fewer of them, or list a folder and filter its files.",
    });
  };
  const budget: Budget = { left: ALLOWANCE };
  const parser = new Parser(source, budget, refuse);
  const program = new Program(parser.parse(), budget, refuse);
  if (parser.isSimple) {
    const expression = new RegExp(source);
    return (text) => expression.test(text);
  }
  return (text) => {
    budget.left += PER_CHARACTER * text.length;
    program.forget();
    return program.matches(text, 0);
  };
}

/** Reads an expression. */
class Parser {
  private readonly source: string;
  private readonly budget: Budget;
  private readonly refuse: (state: string) => never;
  private at = 0;
  private assertions: Program[] = [];
  private repeats = 0;
  /** How many ways there are to take alternatives and what may be missing. */
  private ways = 1;
  /** Whether there are several ways, or repeats, within what repeats. */
  private nests = false;

  constructor(source: string, budget: Budget, refuse: (state: string) => never) {
    this.source = source;
    this.budget = budget;
    this.refuse = refuse;
  }

  parse(): { readonly steps: readonly Step[]; readonly assertions: readonly Program[] } {
    const part = this.alternatives();
    if (this.at < this.source.length) this.refuse("it is malformed");
    return this.finish(part);
  }

  /** Whether the runtime matches it fast, as there are few ways to share a text out between what repeats. */
  get isSimple(): boolean {
    return this.repeats <= 2 && this.ways <= MOST_WAYS && !this.nests;
  }

  private finish(part: Part): ReturnType<Parser["parse"]> {
    const steps: Step[] = [];
    part(steps);
    steps.push({ type: "end" });
    if (steps.length > MOST_STEPS) this.refuse("it is too long");
    return { steps, assertions: this.assertions };
  }

  private alternatives(): Part {
    const parts = [this.sequence()];
    while (this.skip("|")) parts.push(this.sequence());
    if (parts.length === 1) return parts[0]!;
    this.ways *= parts.length;
    return (steps) => {
      const fork = steps.push({ type: "end" }) - 1;
      const exits: number[] = [];
      const to = parts.map((part) => {
        const start = steps.length;
        part(steps);
        exits.push(steps.push({ type: "end" }) - 1);
        return start;
      });
      steps[fork] = { type: "fork", to };
      for (const exit of exits) steps[exit] = { type: "fork", to: [steps.length] };
    };
  }

  private sequence(): Part {
    const parts: Part[] = [];
    while (this.at < this.source.length && !"|)".includes(this.source[this.at]!)) parts.push(this.repeated());
    return (steps) => {
      for (const part of parts) part(steps);
    };
  }

  private repeated(): Part {
    const { repeats, ways } = this;
    const part = this.atom();
    const sign = ["*", "+", "?", "{0,1}"].find((text) => this.skip(text));
    if (sign === undefined) {
      if (/^\{\d+(,\d*)?\}/.test(this.source.slice(this.at, this.at + 20))) this.refuse("it counts");
      return part;
    }
    const isLoop = sign === "*" || sign === "+";
    if (isLoop) {
      this.nests ||= this.repeats > repeats || this.ways > ways;
      this.repeats++;
    } else this.ways *= 2;
    // Whether it takes much or little makes no difference to whether it matches.
    this.skip("?");
    return (steps) => {
      const start = steps.length;
      const skips = sign !== "+";
      if (skips) steps.push({ type: "end" });
      part(steps);
      if (isLoop) steps.push({ type: "fork", to: [start, steps.length + 1] });
      if (skips) steps[start] = { type: "fork", to: [start + 1, steps.length] };
    };
  }

  private atom(): Part {
    const char = this.source[this.at++]!;
    switch (char) {
      case "^":
        return one({ type: "assert", holds: (_, at) => at === 0 });
      case "$":
        return one({ type: "assert", holds: (text, at) => at === text.length });
      case "(":
        return this.group();
      case "[":
        return this.set();
      case ".":
        return native(char);
      case "\\": {
        const escaped = this.source[this.at++] ?? "";
        if (/[\dbBckux]/.test(escaped) || escaped === "") this.refuse(`\\${escaped} is not known here`);
        return native(`\\${escaped}`);
      }
      case "*":
      case "+":
      case "?":
        return this.refuse("it is malformed");
      default: {
        const unit = char.charCodeAt(0);
        return one({ type: "character", holds: (other) => other === unit });
      }
    }
  }

  private group(): Part {
    if (this.skip("?=")) return this.assertion(true);
    if (this.skip("?!")) return this.assertion(false);
    if (!this.skip("?:") && this.source[this.at] === "?") this.refuse("such groups are not known here");
    return this.closed();
  }

  private closed(): Part {
    const part = this.alternatives();
    if (!this.skip(")")) this.refuse("it is malformed");
    return part;
  }

  private assertion(wanted: boolean): Part {
    const { assertions, ways } = this;
    this.assertions = [];
    this.ways = 1;
    const program = new Program(this.finish(this.closed()), this.budget, this.refuse);
    // Once it holds or not, no other way is tried to match it.
    this.nests ||= this.ways > MOST_WAYS;
    this.ways = ways;
    this.assertions = [...assertions, program];
    return one({ type: "assert", holds: (text, at) => program.matches(text, at) === wanted });
  }

  private set(): Part {
    const start = this.at - 1;
    while (this.at < this.source.length && this.source[this.at] !== "]")
      this.at += this.source[this.at] === "\\" ? 2 : 1;
    if (!this.skip("]")) this.refuse("it is malformed");
    return native(this.source.slice(start, this.at));
  }

  private skip(text: string): boolean {
    if (!this.source.startsWith(text, this.at)) return false;
    this.at += text.length;
    return true;
  }
}

const one =
  (step: Step): Part =>
  (steps) =>
    void steps.push(step);

/** What stands for one character means what it does to the runtime, which takes no time. */
function native(source: string): Part {
  const expression = new RegExp(`^${source}$`);
  const known: (boolean | undefined)[] = [];
  const holds = (unit: number): boolean => {
    known[unit] ??= expression.test(String.fromCharCode(unit));
    return known[unit];
  };
  return one({ type: "character", holds });
}

/** The steps of an expression, or of a look ahead in one. */
class Program {
  private readonly steps: readonly Step[];
  private readonly assertions: readonly Program[];
  private readonly budget: Budget;
  private readonly refuse: (state: string) => never;
  /** Where a step was last reached, to go on from it once only. */
  private readonly reached: Float64Array;
  private turn = 0;
  /** Outcomes by place, of the present text. */
  private outcomes: (boolean | undefined)[] = [];

  constructor(
    { steps, assertions }: ReturnType<Parser["parse"]>,
    budget: Budget,
    refuse: (state: string) => never,
  ) {
    this.steps = steps;
    this.assertions = assertions;
    this.budget = budget;
    this.refuse = refuse;
    this.reached = new Float64Array(steps.length);
  }

  /** Another text comes. */
  forget(): void {
    this.outcomes = [];
    for (const assertion of this.assertions) assertion.forget();
  }

  /** Whether what begins at a place matches; what comes after it is no matter. */
  matches(text: string, start: number): boolean {
    this.outcomes[start] ??= this.run(text, start);
    return this.outcomes[start];
  }

  private run(text: string, start: number): boolean {
    let present: number[] = [];
    if (this.reach([0], text, start, present)) return true;
    for (let at = start; at < text.length && present.length > 0; at++) {
      const unit = text.charCodeAt(at);
      const next: number[] = [];
      for (const place of present) {
        const step = this.steps[place]!;
        if (step.type === "character" && step.holds(unit)) next.push(place + 1);
      }
      present = [];
      if (this.reach(next, text, at + 1, present)) return true;
    }
    return false;
  }

  /** Follows what takes no character. @returns whether the end is reached */
  private reach(places: number[], text: string, at: number, characters: number[]): boolean {
    this.turn++;
    while (places.length > 0) {
      const place = places.pop()!;
      if (this.reached[place] === this.turn) continue;
      this.reached[place] = this.turn;
      if (--this.budget.left < 0) this.refuse("it takes too long");
      const step = this.steps[place]!;
      if (step.type === "end") return true;
      if (step.type === "character") characters.push(place);
      else if (step.type === "fork") places.push(...step.to);
      else if (step.holds(text, at)) places.push(place + 1);
    }
    return false;
  }
}
