import type { Parsed } from "./analysis.ts";
import { bindingOf, resolve } from "./fold.ts";
import type { Binding } from "./program.ts";
import { isFunction, type SyntaxNode } from "./syntax.ts";
import { redunExport } from "./tasks.ts";

/** A plain function of the top level, or of an npm package, of which the code makes a task when it runs. */
export interface LiftedFunction {
  readonly binding: Binding;
  /** Its name, where it is used first. */
  readonly argument: SyntaxNode;
  /** The function itself, if it is here. */
  readonly target?: SyntaxNode;
  /** Where it is made a task. These places of the source are the same in all bundles of it. */
  readonly places: string[];
}

/** The calls of `redun` that make a task of the function that is their first argument. */
const LIFTING = new Set(["asTask", "applyFunc"]);

/** Finds the functions that are made tasks by name, each once. */
export function findFunctions({ program, locator }: Parsed): LiftedFunction[] {
  const found = new Map<Binding, LiftedFunction>();
  for (const { callee, arguments: given } of program.calls) {
    const [argument] = given;
    if (argument === undefined || !LIFTING.has(redunExport(program, callee) ?? "")) continue;
    const binding = bindingOf(program, argument);
    const at = locator.at(argument.start);
    if (binding === undefined || at === undefined) continue;
    const place = `${at.source}:${at.line}:${at.column}`;
    const target = resolve(program, argument);
    const known = found.get(binding);
    if (known !== undefined) known.places.push(place);
    else if (binding.constant && isFunction(target))
      found.set(binding, { binding, argument, target, places: [place] });
    else if (binding.import !== undefined && binding.import.name !== "*")
      found.set(binding, { binding, argument, places: [place] });
  }
  return [...found.values()];
}

/** Code that makes the functions known when the package is loaded. @param names - their tasks' names by place */
export function registrations(parsed: Parsed, names: ReadonlyMap<string, string>): string {
  if (names.size === 0) return "";
  const calls = findFunctions(parsed).flatMap(({ binding, places }) => {
    const name = names.get(places[0]!);
    return name === undefined ? [] : [`__redunFunction(${binding.name}, ${JSON.stringify(name)});\n`];
  });
  return `import { registerFunction as __redunFunction } from "redun";\n${calls.join("")}`;
}
