import type { AnyNode } from "acorn";

/** A node of the syntax tree of a bundle. */
export type SyntaxNode = AnyNode;

/** A half-open range of characters. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export function contains(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" && value !== null && typeof (value as { type?: unknown }).type === "string"
  );
}

/** The direct children of a node, in no particular order. */
export function children(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) found.push(item);
    } else if (isNode(value)) found.push(value);
  }
  return found;
}

/** Visits a tree, parents first, without recursion. `visit` returns `false` to skip a node's children. */
export function walk(
  root: SyntaxNode,
  visit: (node: SyntaxNode, parent: SyntaxNode | undefined) => boolean | undefined,
): void {
  const stack: [SyntaxNode, SyntaxNode | undefined][] = [[root, undefined]];
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const [node, parent] = entry;
    if (visit(node, parent) === false) continue;
    for (const child of children(node)) stack.push([child, node]);
  }
}

export function isFunction(
  node: SyntaxNode | undefined,
): node is Extract<
  SyntaxNode,
  { type: "FunctionExpression" | "ArrowFunctionExpression" | "FunctionDeclaration" }
> {
  return (
    node?.type === "FunctionExpression" ||
    node?.type === "ArrowFunctionExpression" ||
    node?.type === "FunctionDeclaration"
  );
}
