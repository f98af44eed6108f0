import type { Parsed } from "./analysis.ts";
import type { Edit } from "./source-map.ts";

/**
 * The changes that make classes of errors known when the package is loaded, so that errors that come from elsewhere are of
 * their class again. Whether a class is one of errors is seen when the code runs.
 */
export function errorClassEdits({ program, originalName }: Parsed): Edit[] {
  const edits: Edit[] = [];
  for (const { init, name, start, units, runtime, constant } of program.bindings) {
    const isClass = init?.type === "ClassDeclaration" || init?.type === "ClassExpression";
    if (runtime || !constant || !isClass || !init.superClass) continue;
    const [unit] = units;
    if (unit === undefined) continue;
    const { end } = unit.kind === "declarator" ? program.parents.get(unit.node)! : unit;
    edits.push({
      start: end,
      end,
      text: `;__redunErrorClass(${name}, ${JSON.stringify(originalName(start))});`,
    });
  }
  if (edits.length === 0) return edits;
  const top = program.tokens[0]?.start ?? 0;
  const imported = 'import { registerErrorClass as __redunErrorClass } from "redun"; ';
  return [{ start: top, end: top, text: imported }, ...edits];
}
