import { originalPositionFor, TraceMap } from "@jridgewell/trace-mapping";
import { parse } from "acorn";
import type { ModulePlace } from "./places.ts";
import type { Edit } from "./source-map.ts";
import { type SyntaxNode, walk } from "./syntax.ts";

/** An import in a module's code. */
export interface ImportSite {
  readonly start: number;
  readonly end: number;
  readonly specifier: string;
  /** `import(…)`, which may be in code that does not run. */
  readonly dynamic: boolean;
}

interface MetaSite {
  readonly start: number;
  readonly end: number;
  readonly key: keyof ModulePlace;
  readonly line: number;
  readonly column: number;
}

/** The places in a package's code that depend on where it is loaded. */
export interface Sites {
  readonly imports: readonly ImportSite[];
  readonly metas: readonly MetaSite[];
}

/** Finds what must be changed in a package's code before it is imported somewhere. */
export function findSites(code: string): Sites {
  const ast = parse(code, { ecmaVersion: "latest", sourceType: "module", locations: true });
  const imports: ImportSite[] = [];
  const metas: MetaSite[] = [];
  walk(ast, (node) => {
    const site = importSite(node);
    if (site !== undefined) imports.push(site);
    const meta = metaSite(node);
    if (meta !== undefined) metas.push(meta);
    return undefined;
  });
  return { imports, metas };
}

/**
 * The edits that make a package's imports lead to `targets`, and `import.meta` speak of the source files.
 *
 * @param targets - by specifier; others stay
 * @param place - what `import.meta` says in a source, given as in the source map
 */
export function relocate(
  { imports, metas }: Sites,
  map: string | undefined,
  targets: ReadonlyMap<string, string>,
  place: (source: string) => ModulePlace,
): Edit[] {
  const edits: Edit[] = imports.flatMap(({ start, end, specifier }) => {
    const target = targets.get(specifier);
    return target === undefined ? [] : [{ start, end, text: JSON.stringify(target) }];
  });
  const trace = map === undefined || metas.length === 0 ? undefined : new TraceMap(map);
  for (const { start, end, key, line, column } of metas) {
    const source = trace && originalPositionFor(trace, { line, column }).source;
    if (source != null) edits.push({ start, end, text: JSON.stringify(place(source)[key]) });
  }
  return edits;
}

function importSite(node: SyntaxNode): ImportSite | undefined {
  const { type } = node;
  if (
    type !== "ImportDeclaration" &&
    type !== "ExportNamedDeclaration" &&
    type !== "ExportAllDeclaration" &&
    type !== "ImportExpression"
  ) {
    return undefined;
  }
  const { source } = node;
  if (source?.type !== "Literal" || typeof source.value !== "string") return undefined;
  const dynamic = type === "ImportExpression";
  return { start: source.start, end: source.end, specifier: source.value, dynamic };
}

/** `import.meta.url` and its like mean the source file, not the copy. */
function metaSite(node: SyntaxNode): MetaSite | undefined {
  if (node.type !== "MemberExpression" || node.object.type !== "MetaProperty" || node.computed)
    return undefined;
  const key = node.property.type === "Identifier" ? node.property.name : "";
  if (key !== "url" && key !== "filename" && key !== "dirname") return undefined;
  const { line, column } = node.loc!.start;
  return { start: node.start, end: node.end, key, line, column };
}
