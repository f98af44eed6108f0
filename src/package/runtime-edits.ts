import type { Parsed } from "./analysis.ts";
import { bindingOf } from "./fold.ts";
import type { Edit } from "./source-map.ts";
import type { Span } from "./syntax.ts";

/**
 * The changes that make a bundle run as its sources would: imports of npm packages get their real specifiers
 * instead of marks, and functions that name tasks keep their names, which bundling changes where two collide.
 */
export function runtimeEdits(
  { program, definitions, originalName }: Parsed,
  marks: ReadonlyMap<string, string>,
): Edit[] {
  const edits: Edit[] = [];
  for (const token of marks.size > 0 ? program.tokens : []) {
    if (token.type.label !== "string") continue;
    const specifier = marks.get(String((token as { value?: unknown }).value));
    if (specifier !== undefined) {
      edits.push({ start: token.start, end: token.end, text: JSON.stringify(specifier) });
    }
  }
  for (const call of program.calls) {
    for (const argument of call.arguments) {
      if (argument.type !== "FunctionExpression" || !argument.id) continue;
      rename(argument, argument.id.name, originalName(argument.id.start));
    }
  }
  for (const { argument, target, namedByFunction } of definitions) {
    const binding = bindingOf(program, argument);
    if (binding && target && namedByFunction) rename(argument, binding.name, originalName(binding.start));
  }
  return edits;

  function rename({ start, end }: Span, now: string, was: string): void {
    if (now === was) return;
    edits.push({ start, end: start, text: "Object.defineProperty(" });
    edits.push({ start: end, end, text: `, "name", { value: ${JSON.stringify(was)} })` });
  }
}
