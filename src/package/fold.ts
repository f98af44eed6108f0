import type { Binding, Program } from "./program.ts";
import type { SyntaxNode } from "./syntax.ts";

/** What is known of an object literal without running it. */
export interface KnownObject {
  readonly properties: ReadonlyMap<string, SyntaxNode>;
  /** Whether it may hold properties that are not in `properties`. */
  readonly open: boolean;
}

const MAX_DEPTH = 50;

/** Follows names of constants to what they were initialised with. */
export function resolve(program: Program, node: SyntaxNode): SyntaxNode {
  let current = node;
  for (let depth = 0; depth < MAX_DEPTH; depth++) {
    if (current.type === "ParenthesizedExpression") current = current.expression;
    else {
      const binding = bindingOf(program, current);
      if (!binding?.constant || !binding.init) return current;
      current = binding.init;
    }
  }
  return current;
}

/** The top-level binding that an identifier names. */
export function bindingOf(program: Program, node: SyntaxNode): Binding | undefined {
  return node.type === "Identifier" ? program.uses.get(node.start)?.binding : undefined;
}

/** The string that an expression always has, if that can be told from literals and constants. */
export function foldString(program: Program, node: SyntaxNode, depth = 0): string | undefined {
  if (depth > MAX_DEPTH) return undefined;
  const resolved = resolve(program, node);
  switch (resolved.type) {
    case "Literal":
      return typeof resolved.value === "string" || typeof resolved.value === "number"
        ? String(resolved.value)
        : undefined;
    case "TemplateLiteral": {
      let text = "";
      for (const [index, quasi] of resolved.quasis.entries()) {
        text += quasi.value.cooked ?? "";
        const expression = resolved.expressions[index];
        if (!expression) continue;
        const part = foldString(program, expression, depth + 1);
        if (part === undefined) return undefined;
        text += part;
      }
      return text;
    }
    case "BinaryExpression": {
      if (resolved.operator !== "+" || resolved.left.type === "PrivateIdentifier") return undefined;
      const left = foldString(program, resolved.left, depth + 1);
      const right = foldString(program, resolved.right, depth + 1);
      return left === undefined || right === undefined ? undefined : left + right;
    }
    case "MemberExpression": {
      const key = memberName(program, resolved, depth);
      if (key === undefined || resolved.object.type === "Super") return undefined;
      const value = foldObject(program, resolved.object, depth + 1)?.properties.get(key);
      return value && foldString(program, value, depth + 1);
    }
    default:
      return undefined;
  }
}

function memberName(
  program: Program,
  node: Extract<SyntaxNode, { type: "MemberExpression" }>,
  depth: number,
): string | undefined {
  if (node.computed) return foldString(program, node.property as SyntaxNode, depth + 1);
  return node.property.type === "Identifier" ? node.property.name : undefined;
}

/** What is known of the object that an expression gives, or `undefined` if it is no object literal. */
export function foldObject(program: Program, node: SyntaxNode, depth = 0): KnownObject | undefined {
  const resolved = resolve(program, node);
  if (depth > MAX_DEPTH || resolved.type !== "ObjectExpression") return undefined;
  const properties = new Map<string, SyntaxNode>();
  let open = false;
  for (const property of resolved.properties) {
    if (property.type === "SpreadElement") {
      const spread = foldObject(program, property.argument, depth + 1);
      if (!spread || spread.open) {
        // What came before may be overridden by what is spread here.
        open = true;
        properties.clear();
      }
      for (const [key, value] of spread?.properties ?? []) properties.set(key, value);
      continue;
    }
    const key =
      !property.computed && property.key.type === "Identifier"
        ? property.key.name
        : foldString(program, property.key as SyntaxNode, depth + 1);
    if (key === undefined) {
      open = true;
      properties.clear();
    } else properties.set(key, property.value);
  }
  return { properties, open };
}
