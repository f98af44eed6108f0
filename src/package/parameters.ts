import type * as b from "@babel/types";
import type { PackageParameter, ParameterType } from "./types.ts";

/** A source file as far as reading types needs it. */
export interface TypeContext {
  readonly text: string;
  /** The types that the file declares, by name. */
  readonly types: ReadonlyMap<string, b.TSType | b.TSEnumDeclaration>;
}

type FunctionNode = b.ArrowFunctionExpression | b.FunctionExpression | b.FunctionDeclaration;

/** Reads the parameters of a function. `docs` holds the texts of its `@param` tags. */
export function readParameters(
  fn: FunctionNode,
  context: TypeContext,
  docs: ReadonlyMap<string, string>,
): PackageParameter[] {
  const parameters: PackageParameter[] = [];
  for (const [index, node] of fn.params.entries()) {
    if (node.type === "Identifier" && node.name === "this") continue;
    const parameter = readParameter(node, index, context);
    const doc = docs.get(parameter.name);
    parameters.push(doc ? { ...parameter, doc } : parameter);
  }
  return parameters;
}

function readParameter(
  node: FunctionNode["params"][number],
  index: number,
  context: TypeContext,
): PackageParameter {
  let target: b.Node = node;
  let initial: b.Node | undefined;
  if (target.type === "AssignmentPattern") {
    initial = target.right;
    target = target.left;
  }
  const rest = target.type === "RestElement";
  const annotated = target as { typeAnnotation?: b.Node | null; optional?: boolean | null };
  const annotation = annotated.typeAnnotation;
  const named: b.Node = target.type === "RestElement" ? target.argument : target;
  const declared =
    annotation?.type === "TSTypeAnnotation" ? readType(annotation.typeAnnotation, context) : undefined;
  return {
    name: named.type === "Identifier" ? named.name : `arg${index}`,
    type: declared?.type ?? (initial ? typeOfValue(initial) : { kind: "json", text: "unknown" }),
    optional: rest || initial !== undefined || annotated.optional === true || declared?.optional === true,
    ...(initial ? { default: context.text.slice(initial.start!, initial.end!) } : {}),
    ...(rest ? { rest: true } : {}),
  };
}

interface ReadType {
  readonly type: ParameterType;
  /** Whether the type admits `undefined` or `null`. */
  readonly optional: boolean;
}

const KEYWORDS: Readonly<Record<string, ParameterType["kind"]>> = {
  TSNumberKeyword: "number",
  TSBigIntKeyword: "bigint",
  TSStringKeyword: "string",
  TSBooleanKeyword: "boolean",
};
const NAMED: ReadonlySet<string> = new Set(["Date", "File", "Dir"]);
const ARRAYS: ReadonlySet<string> = new Set(["Array", "ReadonlyArray"]);
/** Types that only say how a value arrives. */
const WRAPPERS: ReadonlySet<string> = new Set(["Lazy", "Expression", "Promise", "Awaited", "Readonly"]);

/** Reads a type. Names of the same file are followed once, so that recursive types end. */
function readType(node: b.TSType, context: TypeContext, follow = true): ReadType {
  const json = (): ReadType => ({
    type: { kind: "json", text: context.text.slice(node.start!, node.end!) },
    optional: false,
  });
  const plain = (type: ParameterType): ReadType => ({ type, optional: false });
  const kind = KEYWORDS[node.type];
  if (kind) return plain({ kind } as ParameterType);
  switch (node.type) {
    case "TSParenthesizedType":
      return readType(node.typeAnnotation, context, follow);
    case "TSTypeOperator":
      return node.operator === "readonly" && node.typeAnnotation
        ? readType(node.typeAnnotation, context, follow)
        : json();
    case "TSArrayType":
      return plain({ kind: "array", element: readType(node.elementType, context, follow).type });
    case "TSUnionType":
      return readUnion(node, context, follow) ?? json();
    case "TSLiteralType":
      return readLiteral(node.literal) ?? json();
    case "TSTypeReference": {
      const name = node.typeName.type === "Identifier" ? node.typeName.name : "";
      const [argument] = typeArguments(node);
      const declared = context.types.get(name);
      if (declared && follow) {
        if (declared.type === "TSEnumDeclaration") return readEnum(declared) ?? json();
        const found = readType(declared, context, false);
        // The name tells more than the text of what it stands for.
        return found.type.kind === "json" ? { ...json(), optional: found.optional } : found;
      }
      if (declared) return json();
      if (NAMED.has(name)) return plain({ kind: name } as ParameterType);
      if (argument && ARRAYS.has(name)) {
        return plain({ kind: "array", element: readType(argument, context, follow).type });
      }
      if (argument && WRAPPERS.has(name)) return readType(argument, context, follow);
      return json();
    }
    default:
      return json();
  }
}

function typeArguments(node: b.TSTypeReference): b.TSType[] {
  const holder = node as { typeArguments?: { params: b.TSType[] } | null };
  return holder.typeArguments?.params ?? [];
}

function readUnion(node: b.TSUnionType, context: TypeContext, follow: boolean): ReadType | undefined {
  const rest = node.types.filter(
    (type) => type.type !== "TSUndefinedKeyword" && type.type !== "TSNullKeyword",
  );
  let optional = rest.length < node.types.length;
  let merged: ParameterType | undefined;
  for (const member of rest) {
    const { type, optional: inner } = readType(member, context, follow);
    optional ||= inner;
    if (type.kind === "json" && rest.length > 1) merged = undefined;
    else if (!merged) merged = type;
    else if (merged.kind === "enum" && type.kind === "enum") {
      merged = { kind: "enum", values: [...new Set([...merged.values, ...type.values])] };
      continue;
    } else if (JSON.stringify(merged) !== JSON.stringify(type)) merged = undefined;
    if (!merged) {
      const text = rest.map((type) => context.text.slice(type.start!, type.end!)).join(" | ");
      return { type: { kind: "json", text }, optional };
    }
  }
  return merged && { type: merged, optional };
}

function readLiteral(literal: b.TSLiteralType["literal"]): ReadType | undefined {
  switch (literal.type) {
    case "StringLiteral":
      return { type: { kind: "enum", values: [literal.value] }, optional: false };
    case "NumericLiteral":
    case "UnaryExpression":
      return { type: { kind: "number" }, optional: false };
    case "BooleanLiteral":
      return { type: { kind: "boolean" }, optional: false };
    case "BigIntLiteral":
      return { type: { kind: "bigint" }, optional: false };
    default:
      return undefined;
  }
}

function readEnum(node: b.TSEnumDeclaration): ReadType | undefined {
  const members = node as unknown as { members?: b.TSEnumMember[]; body?: { members: b.TSEnumMember[] } };
  const values: string[] = [];
  for (const { initializer } of members.body?.members ?? members.members ?? []) {
    if (initializer?.type !== "StringLiteral") return undefined;
    values.push(initializer.value);
  }
  return { type: { kind: "enum", values }, optional: false };
}

/** The type that TypeScript infers from a default, as far as literals show it. */
function typeOfValue(node: b.Node): ParameterType {
  switch (node.type) {
    case "NumericLiteral":
      return { kind: "number" };
    case "BigIntLiteral":
      return { kind: "bigint" };
    case "StringLiteral":
    case "TemplateLiteral":
      return { kind: "string" };
    case "BooleanLiteral":
      return { kind: "boolean" };
    case "UnaryExpression":
      return node.operator === "!" ? { kind: "boolean" } : typeOfValue(node.argument);
    case "NewExpression":
      if (node.callee.type === "Identifier" && NAMED.has(node.callee.name)) {
        return { kind: node.callee.name } as ParameterType;
      }
      break;
    case "ArrayExpression": {
      const [first] = node.elements;
      if (first) return { kind: "array", element: typeOfValue(first) };
    }
  }
  return { kind: "json", text: "unknown" };
}
