import { hashBytes, hashStruct } from "../value/hash.ts";
import type { Bundle } from "./bundle.ts";
import { CanonicalPrinter } from "./canonical.ts";
import { errorClassEdits } from "./error-classes.ts";
import { foldString, resolve } from "./fold.ts";
import { findFunctions, registrations } from "./functions.ts";
import { dirname, join, relative } from "./paths.ts";
import { type Program, parseProgram } from "./program.ts";
import { runtimeEdits } from "./runtime-edits.ts";
import { SourceFile, type Written } from "./source-file.ts";
import { applyEdits, type Location, SourceLocator } from "./source-map.ts";
import type { SyntaxNode } from "./syntax.ts";
import { type Definition, findDefinitions, type TaskIdentity } from "./tasks.ts";
import type { PackageManifest, PackageTask } from "./types.ts";

/** A parsed bundle, and where its code came from. */
export interface Parsed {
  readonly program: Program;
  readonly locator: SourceLocator;
  readonly definitions: readonly Definition[];
  /** The name that an identifier has in its source. */
  originalName(offset: number): string;
}

/** What a bundle says. */
export interface Analysis {
  readonly parsed: Parsed;
  /** Names of the tasks that plain functions become, by the places where they do. */
  readonly functionNames: ReadonlyMap<string, string>;
  readonly manifest: PackageManifest;
  readonly warnings: string[];
}

/** Parses a bundle and finds the tasks that it defines. */
function parseBundle({ code, map }: Pick<Bundle, "code" | "map">): Parsed {
  const locator = new SourceLocator(code, map);
  const program = parseProgram(code, (offset) => locator.at(offset) === undefined);
  const originalName = (offset: number): string =>
    locator.at(offset)?.name ?? /^[\p{ID_Continue}$]+/u.exec(code.slice(offset, offset + 1000))?.[0] ?? "";
  return { program, locator, originalName, definitions: findDefinitions(program, originalName) };
}

/** Reads a bundle into a manifest. `root` and `entry` are absolute. */
export function analyze(bundle: Bundle, paths: { root: string; entry: string }): Analysis {
  const parsed = parseBundle(bundle);
  return { parsed, ...describePackage(parsed, bundle, paths) };
}

/** Makes a bundle into the code that runs. @param functionNames - see {@link Analysis} */
export function finish(
  bundle: Bundle,
  functionNames: ReadonlyMap<string, string>,
  parsed: Parsed = parseBundle(bundle),
): { code: string; map: string } {
  const edits = [
    ...registrations(parsed, functionNames),
    ...errorClassEdits(parsed),
    ...runtimeEdits(parsed, bundle.imports.marks),
  ];
  return applyEdits(bundle.code, bundle.map, edits);
}

function describePackage(
  parsed: Parsed,
  bundle: Bundle,
  paths: { root: string; entry: string },
): Omit<Analysis, "parsed"> {
  const { program, locator, definitions } = parsed;
  const printer = new CanonicalPrinter(program, definitions);
  const sources = new SourceReader(locator);
  const tasks = new Map<string, PackageTask>();
  const warnings = [...bundle.warnings];
  for (const definition of definitions) {
    const { identity } = definition;
    if (!identity) continue;
    const canonical = printer.closure(definition.argument);
    const task = packageTask(identity, canonical, definition.target, sources.read(definition), paths);
    const earlier = tasks.get(task.fullname);
    if (earlier) {
      warnings.push(
        `Task ${task.fullname} is defined twice, at ${earlier.file}:${earlier.line} and ` +
          `${task.file}:${task.line}: the later one counts`,
      );
      tasks.delete(task.fullname);
    }
    tasks.set(task.fullname, task);
  }
  const functionNames = new Map<string, string>();
  const functions = new Map<string, PackageTask>();
  for (const { name, argument, target, places } of findFunctions(parsed)) {
    const canonical = printer.closure(argument);
    const identity = functionIdentity(name, canonical);
    for (const place of places) functionNames.set(place, identity.name);
    const place = target === undefined ? {} : sources.placeOf(target);
    functions.set(identity.name, packageTask(identity, canonical, target, place, paths));
  }
  const dependencies: Record<string, string> = {};
  for (const [name, versions] of [...bundle.imports.npm].sort(([a], [b]) => (a < b ? -1 : 1))) {
    dependencies[name] = [...versions].sort().join(", ");
    if (versions.size > 1) {
      warnings.push(
        `The workflow uses ${name} in the versions ${dependencies[name]}: unless npm packages are inlined, ` +
          "all its modules get the one that the package is loaded with",
      );
    }
  }
  const namespace = exportedNamespace(program);
  const network = exportedNetwork(program, warnings);
  return {
    warnings,
    functionNames,
    manifest: {
      format: 1,
      entry: relative(paths.root, paths.entry),
      ...(namespace === undefined ? {} : { namespace }),
      ...(network === undefined ? {} : { network }),
      tasks: [...tasks.values()],
      ...(functions.size === 0 ? {} : { functions: [...functions.values()] }),
      dependencies,
      externals: externalsOf(program, bundle.imports.marks),
      codeHash: hashBytes(printer.everything()),
    },
  };
}

/** A function that is made a task has its place among the engine's, so that its name can't be a user's. */
function functionIdentity(of: string, canonical: string): TaskIdentity {
  const namespace = "redun.function";
  const name = `${of.replace(/\W/g, "_")}_${hashBytes(canonical).slice(0, 8)}`;
  return { fullname: `${namespace}.${name}`, namespace, name, script: false };
}

function packageTask(
  { fullname, name, namespace, version, script }: TaskIdentity,
  canonical: string,
  target: SyntaxNode | undefined,
  { written, location }: Place,
  { root, entry }: { root: string; entry: string },
): PackageTask {
  return {
    fullname,
    name,
    namespace,
    hash:
      version === undefined
        ? hashStruct(["Task", fullname, "source", canonical])
        : hashStruct(["Task", fullname, "version", version]),
    ...(version === undefined ? {} : { version }),
    source: written?.source ?? "",
    canonical,
    file: location ? relative(dirname(entry), join(root, location.source)) : "",
    line: location?.line ?? 0,
    parameters: written?.parameters ?? [],
    ...(written?.doc ? { doc: written.doc } : {}),
    async: target !== undefined && "async" in target && target.async,
    ...(script ? { script: true } : {}),
  };
}

/** Where a task was written, and what stands there. */
interface Place {
  readonly written?: Written | undefined;
  readonly location?: Location;
}

/** Finds what the author wrote for a task of the bundle. */
class SourceReader {
  readonly #locator: SourceLocator;
  readonly #files = new Map<string, SourceFile | undefined>();

  constructor(locator: SourceLocator) {
    this.#locator = locator;
  }

  read({ call, argument, target }: Definition): Place {
    const location = this.#locator.at(call.callee.start);
    if (!location) return {};
    const file = this.#file(location.source);
    const written = file?.task(location, (call.arguments as unknown[]).indexOf(argument));
    if (written || !target) return { written, location };
    const found = this.placeOf(target).written;
    const doc = file?.doc(location);
    return { written: found && doc ? { ...found, doc } : found, location };
  }

  /** The place of a function. */
  placeOf(target: SyntaxNode): Place {
    const named = "id" in target ? (target.id as SyntaxNode | null) : undefined;
    for (const node of [target, named]) {
      const location = node ? this.#locator.at(node.start) : undefined;
      const written = location && this.#file(location.source)?.function(location);
      if (location && written) return { written, location };
    }
    return {};
  }

  #file(source: string): SourceFile | undefined {
    if (!this.#files.has(source)) {
      const text = this.#locator.content(source);
      this.#files.set(source, text === undefined ? undefined : new SourceFile(source, text));
    }
    return this.#files.get(source);
  }
}

function exportedNamespace(program: Program): string | undefined {
  const exported = program.exports.get("redunNamespace") ?? program.exports.get("redun_namespace");
  return exported && foldString(program, exported);
}

/** What the entry exports as `redunNetwork`: `true`, or a list of host names. */
function exportedNetwork(program: Program, warnings: string[]): true | string[] | undefined {
  const exported = program.exports.get("redunNetwork");
  if (exported === undefined) return undefined;
  const node = resolve(program, exported);
  if (node.type === "Literal" && typeof node.value === "boolean") return node.value || undefined;
  if (node.type === "ArrayExpression") {
    const hosts = node.elements.map((element) => element && foldString(program, element));
    if (hosts.every((host) => typeof host === "string")) return hosts.length === 0 ? undefined : hosts;
  }
  warnings.push(
    "redunNetwork does not count: it must be true or a list of host names that are written out, such as " +
      '["api.example.org", "*.example.org"]',
  );
  return undefined;
}

function externalsOf(program: Program, marks: ReadonlyMap<string, string>): string[] {
  const found = new Set<string>();
  for (const specifier of program.specifiers) found.add(marks.get(specifier) ?? specifier);
  for (const specifier of marks.values()) found.add(specifier);
  return [...found].sort();
}
