import { UnsupportedValueError } from "../errors/errors.ts";
import { encodeForHash } from "../value/encode.ts";
import { hashArguments, hashBytes, hashStruct } from "../value/hash.ts";
import { isContainer, leaves } from "../value/nested.ts";
import { type EncodedValue, encodeValue, hashValue } from "../value/value.ts";

/** Under this key an expression gives its node; on anything else it is undefined. */
export const NODE: unique symbol = Symbol.for("redun.node");

/** Options of a task or a call, as plain data or expressions. */
export type Options = Readonly<Record<string, unknown>>;

export const NO_OPTIONS: Options = Object.freeze({});
export const NO_NAMES: readonly string[] = Object.freeze([]);

/**
 * What an expression is made of. Users hold a lazy proxy; the engine works on nodes. A node never holds a task, only
 * its name, so that expressions can be stored and sent.
 */
export abstract class ExpressionNode {
  /** Call hash of the job that evaluated this expression, once it has. */
  callHash: string | undefined = undefined;
  /** The lazy expression that users hold of this node. */
  proxy: unknown = undefined;
  private memo: string | undefined = undefined;

  abstract readonly args: readonly unknown[];

  /** The expressions and values that this one is computed from, for data flow. */
  upstreams: readonly unknown[] | undefined = undefined;

  protected abstract computeHash(): string;

  /** Hash of the expression, computed once; deep arguments are hashed first, without recursion. */
  get hash(): string {
    if (this.memo !== undefined) return this.memo;
    const stack: ExpressionNode[] = [this];
    let entered: Set<ExpressionNode> | undefined;
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      if (node.memo !== undefined) {
        stack.pop();
        continue;
      }
      const before = stack.length;
      for (const arg of node.args) {
        for (const leaf of isContainer(arg) ? leaves(arg) : [arg]) {
          const child = nodeOf(leaf);
          if (child !== undefined && child.memo === undefined) stack.push(child);
        }
      }
      if (stack.length > before) {
        // Once its arguments are hashed, none of them is left to push, unless one of them waits for this very node.
        if (entered?.has(node))
          throw new UnsupportedValueError("an expression", "it is inside its own arguments (a cycle)");
        entered ??= new Set();
        entered.add(node);
        continue;
      }
      node.memo = node.computeHash();
      stack.pop();
    }
    return this.memo!;
  }
}

/** A constant lifted to an expression. */
export class ValueNode extends ExpressionNode {
  readonly value: unknown;

  constructor(value: unknown) {
    super();
    if (nodeOf(value) !== undefined) throw new TypeError("Cannot lift an expression to a value expression");
    this.value = value;
  }

  get args(): readonly unknown[] {
    return [this.value];
  }

  protected computeHash(): string {
    return hashStruct(["ValueExpression", hashValue(this.value)]);
  }
}

/** A built-in operation by name, such as `add` or `getitem`. */
export class SimpleNode extends ExpressionNode {
  readonly op: string;
  readonly args: readonly unknown[];

  constructor(op: string, args: readonly unknown[]) {
    super();
    this.op = op;
    this.args = args;
  }

  protected computeHash(): string {
    return hashStruct(["SimpleExpression", this.op, hashArgs(this.args)]);
  }
}

/** A call of a task that the scheduler evaluates itself, such as `redun.cond`. */
export class SchedulerNode extends ExpressionNode {
  readonly taskName: string;
  readonly args: readonly unknown[];
  readonly options: Options;

  constructor(taskName: string, args: readonly unknown[], options: Options = NO_OPTIONS) {
    super();
    this.taskName = taskName;
    this.args = args;
    this.options = options;
  }

  protected computeHash(): string {
    return hashStruct(["SchedulerExpression", this.taskName, hashArgs(this.args)]);
  }
}

const emptyOptionsHash = hashBytes("{}");

/** A call of a task, which becomes a job. */
export class TaskNode extends ExpressionNode {
  readonly taskName: string;
  readonly args: readonly unknown[];
  /** Options given at the call; those of the definition don't travel. */
  readonly options: Options;
  /** Names of the options that all jobs below inherit. */
  readonly exported: readonly string[];
  /** How many items the result has, if that is known. */
  readonly nout: number | undefined;
  /** The arguments encoded, and the hash over them, kept for the job; the place of what is yet to be evaluated is empty. */
  argValues: readonly (EncodedValue | undefined)[] | undefined = undefined;
  argsHash: string | undefined = undefined;

  constructor(
    taskName: string,
    args: readonly unknown[],
    options: Options = NO_OPTIONS,
    exported: readonly string[] = NO_NAMES,
    nout: number | undefined = undefined,
  ) {
    super();
    this.taskName = taskName;
    this.args = args;
    this.options = options;
    this.exported = exported;
    this.nout = nout;
  }

  protected computeHash(): string {
    const hashes: string[] = [];
    this.argValues = this.args.map((arg, i) => {
      const value = holdsExpression(arg) ? undefined : encodeValue(arg, `args[${i}]`);
      hashes.push(value === undefined ? hashValue(arg) : value.hash);
      return value;
    });
    this.argsHash = hashArguments(hashes);
    const optionsHash =
      this.options === NO_OPTIONS ? emptyOptionsHash : hashBytes(encodeForHash(this.options, "options").text);
    const structure = ["TaskExpression", this.taskName, this.argsHash, optionsHash];
    if (this.exported.length > 0) structure.push(hashStruct([...this.exported].sort()));
    return hashStruct(structure);
  }
}

function hashArgs(args: readonly unknown[]): string {
  return hashArguments(args.map(hashValue));
}

/** Whether a value is an expression, or a container that holds one. */
function holdsExpression(value: unknown): boolean {
  if (!isContainer(value)) return nodeOf(value) !== undefined;
  for (const leaf of leaves(value)) if (nodeOf(leaf) !== undefined) return true;
  return false;
}

/** The node of an expression, or `undefined` for anything else. */
export function nodeOf(value: unknown): ExpressionNode | undefined {
  return typeof value === "function" ? (value as { [NODE]?: ExpressionNode })[NODE] : undefined;
}

/** The call hashes that a value computed from expressions descends from, in order, each once. */
export function upstreamCalls(root: unknown, leavesOf: (value: unknown) => Iterable<unknown>): string[] {
  const found = new Set<string>();
  const seen = new Set<ExpressionNode>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    const value = stack.pop();
    for (const leaf of leavesOf(value)) {
      const node = nodeOf(leaf);
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      if (node instanceof TaskNode && node.upstreams === undefined) {
        if (node.callHash !== undefined) found.add(node.callHash);
      } else {
        for (const upstream of node.upstreams ?? node.args) stack.push(upstream);
      }
    }
  }
  return [...found];
}
