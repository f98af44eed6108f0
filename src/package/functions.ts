import type { Parsed } from "./analysis.ts";
import { bindingOf, resolve } from "./fold.ts";
import type { Binding } from "./program.ts";
import type { Edit } from "./source-map.ts";
import { isFunction, type SyntaxNode } from "./syntax.ts";
import { redunExport } from "./tasks.ts";

/** A plain function of the top level, or of an npm package, of which the code makes a task when it runs. */
export interface LiftedFunction {
  /** Its name in its source. */
  readonly name: string;
  /** What stands for it, where it is used first. */
  readonly argument: SyntaxNode;
  /** The function itself, if it is here. */
  readonly target?: SyntaxNode;
  /** Where it is made a task. These places of the source are the same in all bundles of it. */
  readonly places: string[];
}

/** A name of the top level, or a member of what it names, where a task is made of it. */
interface Site {
  readonly argument: SyntaxNode;
  readonly binding: Binding;
  readonly place: string;
}

/** The calls of `redun` that make a task of the function that is their first argument. */
const LIFTING = new Set(["asTask", "applyFunc"]);

function* findSites({ program, locator }: Parsed): Generator<Site> {
  for (const { callee, arguments: given } of program.calls) {
    const [argument] = given;
    if (argument === undefined || !LIFTING.has(redunExport(program, callee) ?? "")) continue;
    const binding = bindingOf(program, rootOf(argument));
    const at = locator.at(argument.start);
    if (binding === undefined || at === undefined) continue;
    yield { argument, binding, place: `${at.source}:${at.line}:${at.column}` };
  }
}

/** The `a` of `a.b.c`. */
function rootOf(node: SyntaxNode): SyntaxNode {
  return node.type === "MemberExpression" && !node.computed ? rootOf(node.object) : node;
}

/** Finds the functions that are made tasks by name, each once. */
export function findFunctions(parsed: Parsed): LiftedFunction[] {
  const { program } = parsed;
  const found = new Map<string, LiftedFunction>();
  for (const { argument, binding, place } of findSites(parsed)) {
    // Names of the top level mean one thing, so equal texts do too.
    const text = program.code.slice(argument.start, argument.end);
    const known = found.get(text);
    const target = resolve(program, argument);
    if (known !== undefined) known.places.push(place);
    else if (isFunction(target) || binding.import !== undefined) {
      found.set(text, {
        name: /\.(\w+)$/.exec(text)?.[1] ?? parsed.originalName(binding.start),
        argument,
        ...(isFunction(target) ? { target } : {}),
        places: [place],
      });
    }
  }
  return [...found.values()];
}

/**
 * The changes that make the functions known when the package is loaded, each as soon as it is there: code at the top may
 * use it at once.
 *
 * @param names - their tasks' names by place
 */
export function registrations(parsed: Parsed, names: ReadonlyMap<string, string>): Edit[] {
  const { code, tokens, parents } = parsed.program;
  const edits = new Map<string, Edit>();
  const insert = (at: number, text: string): void => void edits.set(text, { start: at, end: at, text });
  const top = tokens[0]?.start ?? 0;
  if (names.size > 0) insert(top, 'import { registerFunction as __redunFunction } from "redun"; ');
  for (const { argument, binding, place } of findSites(parsed)) {
    const name = names.get(place);
    if (name === undefined) continue;
    const declarator = binding.units.find(({ kind }) => kind === "declarator");
    const at = declarator === undefined ? top : parents.get(declarator.node)!.end;
    // A module that is imported later has no members yet.
    const text = code.slice(argument.start, argument.end).replaceAll(".", "?.");
    insert(at, `__redunFunction(${text}, ${JSON.stringify(name)});`);
  }
  return [...edits.values()];
}
