import { display, quoteKey, quoteString } from "../value/display.ts";
import { type ExpressionNode, nodeOf, SchedulerNode, SimpleNode, TaskNode, ValueNode } from "./node.ts";

const infix: Readonly<Record<string, string>> = {
  eq: "==",
  ne: "!=",
  lt: "<",
  le: "<=",
  gt: ">",
  ge: ">=",
  add: "+",
  sub: "-",
  mul: "*",
  div: "/",
  and: "&",
  or: "|",
};

/** Deeper than this only `...` is shown; nobody reads further, and text would grow without bound. */
const MAX_DEPTH = 40;
/** So is what comes after this many expressions; a small graph may stand for an enormous tree. */
const MAX_EXPRESSIONS = 1000;

/** How much of a text is made yet. A value inside an expression may hold expressions, whose texts are part of it. */
let progress: { left: number; depth: number } | undefined;

/** The display text of a node. */
export function describeNode(node: ExpressionNode): string {
  const outermost = progress === undefined;
  progress ??= { left: MAX_EXPRESSIONS, depth: 0 };
  if (progress.depth > MAX_DEPTH || progress.left-- <= 0) return "...";
  progress.depth++;
  try {
    return textOf(node, (value) => {
      const part = nodeOf(value);
      return part === undefined ? display(value) : describeNode(part);
    });
  } finally {
    progress.depth--;
    if (outermost) progress = undefined;
  }
}

function textOf(node: ExpressionNode, show: (value: unknown) => string): string {
  if (node instanceof ValueNode) return display(node.value);
  if (node instanceof TaskNode || node instanceof SchedulerNode) {
    return `${node.taskName}(${node.args.map(show).join(", ")})`;
  }
  if (node instanceof SimpleNode) {
    const [left, right] = node.args;
    const operator = infix[node.op];
    if (operator !== undefined) return `(${show(left)} ${operator} ${show(right)})`;
    if (node.op === "not") return `(!${show(left)})`;
    if (node.op === "getitem")
      return `${show(left)}[${typeof right === "string" ? quoteString(right) : show(right)}]`;
    if (node.op === "getattr") return `${show(left)}.${quoteKey(String(right))}`;
    if (node.op === "call") return `${show(left)}(${(right as unknown[]).map(show).join(", ")})`;
    return `SimpleExpression(${quoteString(node.op)}, [${node.args.map(show).join(", ")}])`;
  }
  return "expression";
}
