import { type EffectIndex, indexEffects } from "./effects.ts";
import { type Binding, isLocal, type Program, tokenIndex, type Unit } from "./program.ts";
import type { Span } from "./syntax.ts";
import type { Definition } from "./tasks.ts";

/**
 * Prints code in a form that only its meaning decides, and follows what it refers to.
 *
 * The text is the code's tokens with single spaces between them, so comments and layout don't count. Names
 * that may change without a change of meaning are replaced: `%n` is the n-th top-level binding met, `@n` the
 * n-th local variable of the piece, `task:` a task by its fullname, and `npm:`, `node:` or `redun:` an import.
 * No JavaScript token begins like the first two, so they can't be mistaken for code.
 */
export class CanonicalPrinter {
  readonly #program: Program;
  readonly #effects: EffectIndex;
  /** Task definitions that print as the task's name, by offset. */
  readonly #tasks = new Map<number, { end: number; text: string }>();
  readonly #taskBindings = new Map<Binding, string>();

  constructor(program: Program, definitions: readonly Definition[]) {
    this.#program = program;
    this.#effects = indexEffects(
      program,
      definitions.map((definition) => definition.call),
    );
    const byCall = new Map<unknown, string>();
    for (const { call, identity } of definitions) {
      if (!identity) continue;
      const text = `task:${identity.fullname}`;
      this.#tasks.set(call.start, { end: call.end, text });
      byCall.set(call, text);
    }
    for (const binding of program.bindings) {
      const text = byCall.get(binding.init);
      if (text && binding.constant) this.#taskBindings.set(binding, text);
    }
  }

  /** The canonical text of a piece of code, followed by that of all top-level code it depends on. */
  closure(root: Span): string {
    const numbers = new Map<Binding, number>();
    const queue: Unit[] = [];
    const queued = new Set<Unit>();
    const enqueue = (unit: Unit): void => {
      if (queued.has(unit)) return;
      queued.add(unit);
      queue.push(unit);
    };
    const nameOf = (binding: Binding): string => {
      let number = numbers.get(binding);
      if (number === undefined) {
        number = numbers.size + 1;
        numbers.set(binding, number);
        for (const unit of binding.units) enqueue(unit);
      }
      return `%${number}`;
    };

    const parts = [this.#print(root, nameOf, true)];
    const drain = (): void => {
      for (let unit = queue.shift(); unit; unit = queue.shift()) parts.push(this.#print(unit, nameOf, true));
    };
    drain();
    // A map that grows while it is walked yields what is added, so this settles every binding met.
    for (const binding of numbers.keys()) {
      for (const unit of this.#effects.of(binding)) enqueue(unit);
      drain();
    }
    return parts.join("\n");
  }

  /** The canonical text of all of the package's own code, task definitions included. */
  everything(): string {
    const numbers = new Map<Binding, number>();
    const nameOf = (binding: Binding): string => {
      if (!numbers.has(binding)) numbers.set(binding, numbers.size + 1);
      return `%${numbers.get(binding)}`;
    };
    return this.#program.units
      .filter((unit) => !this.#program.runtimeUnits.has(unit))
      .map((unit) => this.#print(unit, nameOf, false))
      .join("\n");
  }

  #print(span: Span, nameOf: (binding: Binding) => string, shortenTasks: boolean): string {
    const { code, tokens, uses, shorthands } = this.#program;
    const locals = new Map<unknown, string>();
    const words: string[] = [];
    for (let index = tokenIndex(this.#program, span.start); index < tokens.length; index++) {
      const token = tokens[index]!;
      if (token.start >= span.end) break;
      const task = shortenTasks ? this.#tasks.get(token.start) : undefined;
      if (task && task.end <= span.end) {
        words.push(task.text);
        index = tokenIndex(this.#program, task.end) - 1;
        continue;
      }
      const text = code.slice(token.start, token.end);
      if (shorthands.has(token.start)) words.push(text, ":");
      const use = uses.get(token.start);
      if (!use || use.node.end < token.end) words.push(externalText(text));
      else if (use.binding) words.push(this.#reference(use.binding, nameOf));
      else if (isLocal(use.variable)) {
        let name = locals.get(use.variable);
        if (name === undefined) {
          name = `@${locals.size + 1}`;
          locals.set(use.variable, name);
        }
        words.push(name);
      } else words.push(text);
    }
    return words.join(" ");
  }

  #reference(binding: Binding, nameOf: (binding: Binding) => string): string {
    if (binding.import) return importText(binding.import);
    if (binding.runtime) return `esbuild:${binding.name}`;
    return this.#taskBindings.get(binding) ?? nameOf(binding);
  }
}

/** What the bundler puts before a specifier that stands for an npm package of one version. */
export const NPM_MARK = "redun-npm:";

function importText({ source, name }: { source: string; name: string }): string {
  const from = source.startsWith(NPM_MARK) ? `npm:${source.slice(NPM_MARK.length)}` : source;
  return `${from}:${name}`;
}

/** Dynamic imports name their package in a string. */
function externalText(text: string): string {
  return text.startsWith(`"${NPM_MARK}`) ? `"npm:${text.slice(NPM_MARK.length + 1)}` : text;
}
