import { InvalidEncodingError, LazyValueError, NoCurrentJobError } from "../errors/errors.ts";
import { trim } from "../value/display.ts";
import { CODEC, registerBuiltin, type ValueCodec } from "../value/registry.ts";
import { describeNode } from "./describe.ts";
import {
  ExpressionNode,
  NO_NAMES,
  NO_OPTIONS,
  NODE,
  nodeOf,
  type Options,
  SchedulerNode,
  SimpleNode,
  TaskNode,
  ValueNode,
} from "./node.ts";
import type { Expression } from "./types.ts";

/** Evaluates an awaited expression for one job. */
type Evaluator = (node: ExpressionNode) => Promise<unknown>;

const evaluators: (() => Evaluator | undefined)[] = [];

/** Adds a way to find what evaluates expressions for the job whose code is running; nothing means that it knows none. */
export function addEvaluator(current: () => Evaluator | undefined): void {
  evaluators.push(current);
}

function currentEvaluator(): Evaluator | undefined {
  for (const current of evaluators) {
    const evaluator = current();
    if (evaluator !== undefined) return evaluator;
  }
  return undefined;
}

const refuse = (use: string, node: ExpressionNode): never => {
  throw new LazyValueError(use, trim(describeNode(node)));
};

const refuseAwait = (node: ExpressionNode): Promise<never> =>
  Promise.reject(new NoCurrentJobError(trim(describeNode(node))));

/** What an expression does under its users' hands. Each node is its own proxy's handler: `this` is the node. */
const traps: ProxyHandler<() => void> & ThisType<ExpressionNode> = {
  get(_target, key): unknown {
    if (key === NODE) return this;
    if (typeof key === "symbol") return symbolMember(this, key);
    if (key === "then") {
      // Promises take `then` at once but call it a moment later, when another job's code may be running.
      const evaluate = currentEvaluator();
      return (resolve?: (value: unknown) => unknown, reject?: (error: unknown) => unknown) =>
        (evaluate === undefined ? refuseAwait(this) : evaluate(this)).then(resolve, reject);
    }
    if (key === "toJSON") return () => refuse("serialise", this);
    return member(this, key);
  },
  apply(_target, _this, args): unknown {
    return lazy(new SimpleNode("call", [lazy(this), args, {}]));
  },
  has: (_target, key) => key === NODE,
  set() {
    return refuse("set a property of", this);
  },
  defineProperty() {
    return refuse("define a property of", this);
  },
  deleteProperty() {
    return refuse("delete a property of", this);
  },
  ownKeys() {
    return refuse("spread", this);
  },
  setPrototypeOf() {
    return refuse("set the prototype of", this);
  },
  preventExtensions() {
    return refuse("freeze", this);
  },
};

/** Must be callable for the proxies to be; its name is what a console shows. All share it, so no trap lets it change. */
const expression = () => {};

Object.assign(ExpressionNode.prototype, traps);

function symbolMember(node: ExpressionNode, key: symbol): unknown {
  if (key === CODEC) return codecOfNode(node);
  if (key === Symbol.toPrimitive) {
    return (hint: string) => refuse(hint === "number" ? "do arithmetic with" : "make text of", node);
  }
  if (key === Symbol.iterator) {
    const nout = node instanceof TaskNode ? node.nout : undefined;
    if (nout === undefined) return refuse("iterate over", node);
    return function* () {
      for (let i = 0; i < nout; i++) yield lazy(new SimpleNode("getitem", [lazy(node), i]));
    };
  }
  if (key === Symbol.asyncIterator) return refuse("iterate over", node);
  if (key === Symbol.toStringTag) return "Expression";
  return undefined;
}

const integer = /^(0|[1-9]\d*)$/;

function member(node: ExpressionNode, key: string): unknown {
  if (integer.test(key)) return lazy(new SimpleNode("getitem", [lazy(node), Number(key)]));
  const op = /^[A-Za-z_$][\w$]*$/.test(key) ? "getattr" : "getitem";
  return lazy(new SimpleNode(op, [lazy(node), key]));
}

/** The lazy expression of a node, as users hold it. */
export function lazy<T>(node: ExpressionNode): Expression<T> {
  if (node.proxy !== undefined) return node.proxy as Expression<T>;
  const proxy = new Proxy(expression, node as ProxyHandler<() => void>) as unknown as Expression<T>;
  node.proxy = proxy;
  return proxy;
}

/** Whether a value is a lazy expression. */
export function isExpression(value: unknown): value is Expression<unknown> {
  return nodeOf(value) !== undefined;
}

/** Whether a value is to be waited for. An expression is a thenable too, but it is to be evaluated. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null || isExpression(value))
    return false;
  return typeof (value as { then?: unknown }).then === "function";
}

/** Lifts a value to an expression; an expression stays itself. */
export function lift<T>(value: T): Expression<T> {
  return isExpression(value) ? (value as Expression<T>) : lazy(new ValueNode(value));
}

/** The display text of an expression, such as `add(1, mul(2, 3))`. */
export function describe(expression: unknown): string {
  const node = nodeOf(expression);
  if (node === undefined) throw new TypeError("Cannot describe a value that is not an expression");
  return describeNode(node);
}

/** An expression in an inert box: evaluation passes over it. */
export class QuotedExpression<T> {
  readonly expression: T;

  constructor(expression: T) {
    this.expression = expression;
  }

  /** The boxed expression. */
  eval(): T {
    return this.expression;
  }
}

/** Boxes an expression, or a nested value that holds some, so that evaluation passes over it. */
export function quote<T>(expression: T): QuotedExpression<T> {
  return new QuotedExpression(expression);
}

/**
 * Records that `derived` comes from `original`: in data flow the original becomes its only upstream.
 *
 * @returns `derived`, lifted to an expression if it was none
 */
export function deriveExpression<T>(original: unknown, derived: T): Expression<T> {
  const expression = lift(derived);
  nodeOf(expression)!.upstreams = [original];
  return expression;
}

const list = (data: unknown): readonly unknown[] => {
  if (!Array.isArray(data)) throw new InvalidEncodingError("a malformed expression");
  return data;
};
const text = (data: unknown): string => {
  if (typeof data !== "string") throw new InvalidEncodingError("a malformed expression");
  return data;
};
const options = (data: unknown): Options => {
  if (data === null || data === undefined) return NO_OPTIONS;
  if (typeof data !== "object" || Array.isArray(data))
    throw new InvalidEncodingError("malformed options of an expression");
  return data as Options;
};

const hash = (expression: unknown): string => nodeOf(expression)!.hash;
const show = (expression: unknown): string => describeNode(nodeOf(expression)!);

const taskCodec: ValueCodec = {
  name: "redun.TaskExpression",
  is: (value) => nodeOf(value) instanceof TaskNode,
  encode(expression) {
    const node = nodeOf(expression) as TaskNode;
    const data: unknown[] = [node.taskName, node.args];
    if (node.options !== NO_OPTIONS || node.exported.length > 0 || node.nout !== undefined) {
      data.push(node.options, node.exported, node.nout ?? null);
    }
    return data;
  },
  decode(data) {
    const [name, args, given, exported, nout] = list(data);
    return lazy(
      new TaskNode(
        text(name),
        list(args),
        given === undefined ? NO_OPTIONS : options(given),
        exported === undefined ? NO_NAMES : list(exported).map(text),
        typeof nout === "number" ? nout : undefined,
      ),
    );
  },
  hash,
  shared: true,
  display: show,
};

const schedulerCodec: ValueCodec = {
  name: "redun.SchedulerExpression",
  is: (value) => nodeOf(value) instanceof SchedulerNode,
  encode(expression) {
    const node = nodeOf(expression) as SchedulerNode;
    return node.options === NO_OPTIONS
      ? [node.taskName, node.args]
      : [node.taskName, node.args, node.options];
  },
  decode(data) {
    const [name, args, given] = list(data);
    return lazy(new SchedulerNode(text(name), list(args), options(given)));
  },
  hash,
  shared: true,
  display: show,
};

const simpleCodec: ValueCodec = {
  name: "redun.SimpleExpression",
  is: (value) => nodeOf(value) instanceof SimpleNode,
  encode(expression) {
    const node = nodeOf(expression) as SimpleNode;
    return [node.op, node.args];
  },
  decode(data) {
    const [op, args] = list(data);
    return lazy(new SimpleNode(text(op), list(args)));
  },
  hash,
  shared: true,
  display: show,
};

const valueCodec: ValueCodec = {
  name: "redun.ValueExpression",
  is: (value) => nodeOf(value) instanceof ValueNode,
  encode: (expression) => [(nodeOf(expression) as ValueNode).value],
  decode: (data) => lazy(new ValueNode(list(data)[0])),
  hash,
  shared: true,
  display: show,
};

const quotedCodec: ValueCodec<QuotedExpression<unknown>, unknown[]> = {
  name: "redun.QuotedExpression",
  is: (value) => value instanceof QuotedExpression,
  encode: (quoted) => [quoted.expression],
  decode: (data) => new QuotedExpression(list(data)[0]),
  display: (quoted) => `quote(${isExpression(quoted.expression) ? describe(quoted.expression) : "..."})`,
};

Object.defineProperty(QuotedExpression.prototype, CODEC, { value: quotedCodec });

function codecOfNode(node: ExpressionNode): ValueCodec {
  if (node instanceof TaskNode) return taskCodec;
  if (node instanceof SimpleNode) return simpleCodec;
  return node instanceof SchedulerNode ? schedulerCodec : valueCodec;
}

for (const codec of [taskCodec, schedulerCodec, simpleCodec, valueCodec, quotedCodec]) registerBuiltin(codec);
