import { type Identifier, type Literal, parse, type Token, type VariableDeclarator } from "acorn";
import { analyze, type Scope, type Variable } from "eslint-scope";
import { children, type Span, type SyntaxNode, walk } from "./syntax.ts";

/** A piece of a module's top level: one declarator, function, class or other statement. */
export interface Unit extends Span {
  readonly kind: "declarator" | "function" | "class" | "statement";
  readonly node: SyntaxNode;
}

/** A name of the module's top level. */
export interface Binding {
  readonly name: string;
  /** Where the name is first written. */
  readonly start: number;
  /** The units that declare it; none for an import. */
  readonly units: Unit[];
  readonly import?: { readonly source: string; readonly name: string };
  /** A helper that esbuild adds, which is not the workflow's code. */
  readonly runtime: boolean;
  /** Whether only its declaration gives it a value. */
  readonly constant: boolean;
  /** The initial value, if it is declared by name: `const name = init`. */
  readonly init?: SyntaxNode;
}

/** One written identifier that names a variable. */
export interface Use {
  readonly node: SyntaxNode;
  readonly variable: Variable;
  /** Set if the variable belongs to the top level. */
  readonly binding?: Binding;
}

/** A parsed bundle with its scopes resolved. Offsets count UTF-16 units of `code`. */
export interface Program {
  readonly code: string;
  readonly units: readonly Unit[];
  readonly tokens: readonly Token[];
  /** By the offset of the identifier. */
  readonly uses: ReadonlyMap<number, Use>;
  readonly bindings: readonly Binding[];
  /** The units that declare esbuild's helpers. */
  readonly runtimeUnits: ReadonlySet<Unit>;
  /** Offsets of `x` in the property `{ x }`, which stands for `{ x: x }`. */
  readonly shorthands: ReadonlySet<number>;
  readonly parents: ReadonlyMap<SyntaxNode, SyntaxNode>;
  /** What each exported name stands for. */
  readonly exports: ReadonlyMap<string, SyntaxNode>;
  /** The specifiers of imports that name one, static and dynamic. */
  readonly specifiers: ReadonlySet<string>;
  /** Every call, in the order in which they are written. */
  readonly calls: readonly Extract<SyntaxNode, { type: "CallExpression" }>[];
}

const RUNTIME_HELPER =
  /^(import_)?__(create|defProp|defProps|defNormalProp|getOwnPropDescs?|getOwnPropNames|getOwnPropSymbols|getProtoOf|hasOwnProp|propIsEnum|reflectGet|reflectSet|knownSymbol|typeError|pow|spreadValues|spreadProps|name|require|glob|restKey|objRest|esm|esmMin|commonJS|commonJSMin|export|copyProps|reExport|toESM|toCommonJS|decorateClass|decorateParam|decoratorStart|decoratorStrings|decoratorContext|decoratorMetadata|decorateElement|runInitializers|expectFn|publicField|accessCheck|privateIn|privateGet|privateAdd|privateSet|privateWrapper|privateMethod|earlyAccess|superGet|superSet|superWrapper|template|async|await|asyncGenerator|yieldStar|forAwait|toBinary|using|callDispose|toBinaryNode)$/;

/**
 * Parses a bundle and resolves its names.
 *
 * @param isGenerated - tells whether the code at an offset came from no source file
 */
export function parseProgram(code: string, isGenerated: (offset: number) => boolean): Program {
  const tokens: Token[] = [];
  const ast = parse(code, { ecmaVersion: "latest", sourceType: "module", ranges: true, onToken: tokens });
  const units = ast.body.flatMap(unitsOf);
  const shorthands = new Set<number>();
  const parents = new Map<SyntaxNode, SyntaxNode>();
  const calls: Program["calls"][number][] = [];
  const exports = new Map<string, SyntaxNode>();
  const specifiers = new Set<string>();
  walk(ast, (node, parent) => {
    if (parent) parents.set(node, parent);
    if (node.type === "Property" && node.shorthand) shorthands.add(node.start);
    else if (node.type === "CallExpression") calls.push(node);
    else if (node.type === "ExportSpecifier") exports.set(nameOf(node.exported), node.local);
    if ("source" in node && node.source?.type === "Literal") specifiers.add(String(node.source.value));
    return true;
  });
  calls.sort((a, b) => a.start - b.start || b.end - a.end);

  const manager = analyze(ast as never, {
    ecmaVersion: 2024,
    sourceType: "module",
    // Nodes newer than the analyser's own list of them.
    fallback: ((node: SyntaxNode) => keysOf(node)) as never,
  });
  const uses = new Map<number, Use>();
  const bindings: Binding[] = [];
  for (const scope of manager.scopes) {
    for (const variable of scope.variables) {
      const binding = scope.type === "module" ? bindingOf(variable, units, isGenerated) : undefined;
      if (binding) bindings.push(binding);
      const names = [
        ...variable.identifiers,
        ...variable.references.map((reference) => reference.identifier),
      ] as unknown as SyntaxNode[];
      for (const node of names) {
        // A declared class has its name twice, outside and inside itself: the outer one is met first.
        if (uses.has(node.start)) continue;
        uses.set(node.start, binding ? { node, variable, binding } : { node, variable });
      }
    }
  }
  const runtimeUnits = new Set(bindings.flatMap((binding) => (binding.runtime ? binding.units : [])));
  return {
    code,
    units,
    tokens,
    uses,
    bindings,
    runtimeUnits,
    shorthands,
    parents,
    exports,
    specifiers,
    calls,
  };
}

function keysOf(node: SyntaxNode): string[] {
  const nodes = new Set<unknown>(children(node));
  return Object.entries(node).flatMap(([key, value]) =>
    nodes.has(value) || (Array.isArray(value) && value.some((item) => nodes.has(item))) ? [key] : [],
  );
}

function unitsOf(node: SyntaxNode): Unit[] {
  const unit = (kind: Unit["kind"], of: SyntaxNode): Unit => ({
    kind,
    node: of,
    start: of.start,
    end: of.end,
  });
  switch (node.type) {
    case "ImportDeclaration":
    case "ExportAllDeclaration":
      return [];
    case "ExportNamedDeclaration":
      return node.declaration ? unitsOf(node.declaration) : [];
    case "ExportDefaultDeclaration":
      return [unit("statement", node.declaration)];
    case "VariableDeclaration":
      return node.declarations.map((declarator) => unit("declarator", declarator));
    case "FunctionDeclaration":
      return [unit("function", node)];
    case "ClassDeclaration":
      return [unit("class", node)];
    case "EmptyStatement":
      return [];
    default:
      return [unit("statement", node)];
  }
}

/** Units are sorted, so the one around an offset is found by halving. */
function unitAt(units: readonly Unit[], offset: number): Unit | undefined {
  let low = 0;
  let high = units.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const unit = units[middle]!;
    if (offset < unit.start) high = middle - 1;
    else if (offset >= unit.end) low = middle + 1;
    else return unit;
  }
  return undefined;
}

function bindingOf(
  variable: Variable,
  units: readonly Unit[],
  isGenerated: (offset: number) => boolean,
): Binding | undefined {
  const definition = variable.defs[0];
  if (!definition) return undefined;
  const start = (variable.identifiers[0] as unknown as SyntaxNode).start;
  const base = { name: variable.name, start };
  if (definition.type === "ImportBinding") {
    const declaration = definition.parent as unknown as { source: Literal };
    const specifier = definition.node as unknown as SyntaxNode;
    return {
      ...base,
      units: [],
      runtime: false,
      constant: true,
      import: { source: String(declaration.source.value), name: importedName(specifier) },
    };
  }
  const own = new Set<Unit>();
  for (const node of variable.identifiers as unknown as SyntaxNode[]) {
    const unit = unitAt(units, node.start);
    if (unit) own.add(unit);
  }
  const constant =
    variable.defs.length === 1 &&
    variable.references.every((reference) => !reference.isWrite() || reference.init === true);
  const declarator = definition.node as unknown as SyntaxNode;
  const init =
    declarator.type === "VariableDeclarator" && declarator.id.type === "Identifier"
      ? (declarator as VariableDeclarator).init
      : declarator.type === "FunctionDeclaration" || declarator.type === "ClassDeclaration"
        ? declarator
        : undefined;
  return {
    ...base,
    units: [...own],
    runtime: RUNTIME_HELPER.test(variable.name) && isGenerated(start),
    constant,
    ...(init ? { init } : {}),
  };
}

function importedName(specifier: SyntaxNode): string {
  if (specifier.type === "ImportNamespaceSpecifier") return "*";
  if (specifier.type !== "ImportSpecifier") return "default";
  return nameOf(specifier.imported);
}

function nameOf(node: Identifier | Literal): string {
  return node.type === "Identifier" ? node.name : String(node.value);
}

/** The uses within a range, in the order in which they are written. */
export function* usesWithin(program: Program, span: Span): Generator<Use> {
  for (let index = tokenIndex(program, span.start); index < program.tokens.length; index++) {
    const token = program.tokens[index]!;
    if (token.start >= span.end) return;
    const use = program.uses.get(token.start);
    if (use && use.node.end === token.end) yield use;
  }
}

/** The index of the first token at or after an offset. */
export function tokenIndex(program: Program, offset: number): number {
  let low = 0;
  let high = program.tokens.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (program.tokens[middle]!.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether a variable is declared inside a function or block, not at the top level or outside the module. */
export function isLocal(variable: Variable): boolean {
  const { type } = variable.scope as Scope;
  return type !== "module" && type !== "global" && variable.defs.length > 0;
}
