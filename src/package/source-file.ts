import { type ParserOptions, parse } from "@babel/parser";
import type * as b from "@babel/types";
import { type DocComment, parseDocComment } from "./docs.ts";
import { readParameters, type TypeContext } from "./parameters.ts";
import type { PackageParameter } from "./types.ts";

type FunctionNode = b.ArrowFunctionExpression | b.FunctionExpression | b.FunctionDeclaration;

/** A place in a file: lines count from 1, columns from 0. */
interface Position {
  readonly line: number;
  readonly column: number;
}

/** What the author wrote about one task. */
export interface Written {
  readonly source: string;
  readonly parameters: PackageParameter[];
  readonly doc?: string;
}

/** A source file of a workflow in its original TypeScript, which says what a bundle no longer knows. */
export class SourceFile {
  readonly #text: string;
  readonly #context: TypeContext;
  /** The calls and what is around them, by the position of what is called. */
  readonly #calls = new Map<string, { call: b.CallExpression; around: Around | undefined }>();
  /** The functions and what is around them, by position. */
  readonly #functions = new Map<string, { fn: FunctionNode; around: Around | undefined }>();

  constructor(name: string, text: string) {
    this.#text = text;
    const types = new Map<string, b.TSType | b.TSEnumDeclaration>();
    this.#context = { text, types };
    const plugins: NonNullable<ParserOptions["plugins"]> = /\.[cm]?ts$/.test(name)
      ? ["typescript"]
      : name.endsWith(".tsx")
        ? ["typescript", "jsx"]
        : ["jsx"];
    plugins.push("decorators");
    const file = parse(text, {
      sourceType: "module",
      errorRecovery: true,
      plugins,
    }) as unknown as b.File;
    this.#index(file.program, types);
  }

  /** Describes the task that the call of a function at a position defines. */
  task(callee: Position, argument: number): Written | undefined {
    const found = this.#calls.get(key(callee));
    const node = found && unwrap(found.call.arguments[argument]);
    if (!found || !node) return undefined;
    if (node.type === "Identifier") return undefined;
    const doc = docOf(node, { node: found.call, outer: found.around });
    return this.#describe(node, isFunction(node) ? node : firstFunction(node), doc);
  }

  /** The description before a call. */
  doc(callee: Position): string | undefined {
    const found = this.#calls.get(key(callee));
    return (found && docOf(found.call, found.around)?.description) || undefined;
  }

  /** Describes the task whose function, defined elsewhere, is at a position. */
  function(at: Position): Written | undefined {
    const found = this.#functions.get(key(at));
    return found && this.#describe(found.fn, found.fn, docOf(found.fn, found.around));
  }

  #describe(whole: b.Node, fn: FunctionNode | undefined, doc: DocComment | undefined): Written {
    return {
      source: this.#text.slice(whole.start!, whole.end!),
      parameters: fn ? readParameters(fn, this.#context, doc?.parameters ?? new Map()) : [],
      ...(doc?.description ? { doc: doc.description } : {}),
    };
  }

  #index(program: b.Program, types: Map<string, b.TSType | b.TSEnumDeclaration>): void {
    const stack: { node: b.Node; around: Around | undefined }[] = [{ node: program, around: undefined }];
    for (let entry = stack.pop(); entry; entry = stack.pop()) {
      const { node, around } = entry;
      if (node.type === "CallExpression" && node.callee.loc) {
        this.#calls.set(key(node.callee.loc.start), { call: node, around });
      } else if (node.type === "TSTypeAliasDeclaration") types.set(node.id.name, node.typeAnnotation);
      else if (node.type === "TSEnumDeclaration") types.set(node.id.name, node);
      else if (isFunction(node) && node.loc) {
        const found = { fn: node, around };
        this.#functions.set(key(node.loc.start), found);
        // The bundler maps some functions by their name.
        if (node.type !== "ArrowFunctionExpression" && node.id?.loc) {
          this.#functions.set(key(node.id.loc.start), found);
        }
      }
      const inner: Around = { node, outer: around };
      for (const child of childrenOf(node)) stack.push({ node: child, around: inner });
    }
  }
}

interface Around {
  readonly node: b.Node;
  readonly outer: Around | undefined;
}

function key({ line, column }: Position): string {
  return `${line}:${column}`;
}

function isFunction(node: b.Node): node is FunctionNode {
  return /^(ArrowFunctionExpression|FunctionExpression|FunctionDeclaration)$/.test(node.type);
}

/** Takes off what only the type checker sees. */
function unwrap(node: b.Node | null | undefined): b.Node | undefined {
  let current = node;
  while (
    current?.type === "TSAsExpression" ||
    current?.type === "TSSatisfiesExpression" ||
    current?.type === "TSNonNullExpression" ||
    current?.type === "TSTypeAssertion" ||
    current?.type === "ParenthesizedExpression"
  ) {
    current = current.expression;
  }
  return current ?? undefined;
}

function firstFunction(root: b.Node): FunctionNode | undefined {
  const queue: b.Node[] = [root];
  for (let node = queue.shift(); node; node = queue.shift()) {
    if (isFunction(node)) return node;
    queue.push(...childrenOf(node));
  }
  return undefined;
}

/** Comments, positions and the like, which hold no code. */
const SKIPPED: ReadonlySet<string> = new Set([
  "loc",
  "leadingComments",
  "trailingComments",
  "innerComments",
  "extra",
  "errors",
]);

function childrenOf(node: b.Node): b.Node[] {
  const found: b.Node[] = [];
  const take = (value: unknown): void => {
    if (typeof (value as { type?: unknown } | null)?.type === "string") found.push(value as b.Node);
  };
  const record = node as unknown as Record<string, unknown>;
  for (const name in record) {
    const value = record[name];
    if (typeof value !== "object" || value === null || SKIPPED.has(name)) continue;
    if (Array.isArray(value)) value.forEach(take);
    else take(value);
  }
  return found;
}

/** The nearest documentation comment before a function, its definition or its statement. */
function docOf(fn: b.Node, around: Around | undefined): DocComment | undefined {
  for (let at: Around | undefined = { node: fn, outer: around }; at; at = at.outer) {
    const { node } = at;
    const comment = node.leadingComments?.findLast(
      ({ type, value }) => type === "CommentBlock" && value.startsWith("*"),
    );
    if (comment) return parseDocComment(comment.value.slice(1));
    // A comment further out is about more than this task.
    if (node !== fn && (/Statement$|^ObjectProperty$|^Export/.test(node.type) || isFunction(node))) {
      return undefined;
    }
  }
  return undefined;
}
