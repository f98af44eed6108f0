import { RedunError } from "../errors/redun-error.ts";
import { isThenable, lazy } from "../expression/expression.ts";
import { nodeOf, SimpleNode } from "../expression/node.ts";
import { applyOperation } from "../expression/operators.ts";
import { ForeignValue } from "../value/foreign.ts";
import { codecOf } from "../value/registry.ts";
import { type Done, evaluate } from "./evaluate.ts";
import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";
import { runPackageCode } from "./package-code.ts";

/** Operations that read a member. */
const READING = new Set(["getattr", "getitem"]);

/**
 * Evaluates a built-in operation.
 *
 * Where the package is loaded elsewhere only, methods are called there: those of its own types are its code, and others
 * may take long. Members of values of its own types are read there, and long texts and bigints are made there.
 */
export function evaluateOperation(exec: Execution, node: SimpleNode, job: Job, finish: Done): void {
  const isElsewhere = exec.options.registry.elsewhere !== undefined;
  const member = node.op === "call" ? nodeOf(node.args[0]) : undefined;
  const method = member instanceof SimpleNode && READING.has(member.op) ? member : undefined;
  if (isElsewhere && method !== undefined) {
    const [, ...args] = node.args;
    evaluate(exec, [method.args, args], job, (failed, result) => {
      if (failed) {
        finish(true, result);
        return;
      }
      const [read, given] = result as [unknown[], unknown[]];
      applyElsewhere(exec, node, ["call", [lazy(new SimpleNode(method.op, read)), ...given]], job, finish);
    });
    return;
  }
  evaluate(exec, node.args, job, (failed, result) => {
    if (failed) {
      finish(true, result);
      return;
    }
    const args = result as readonly unknown[];
    if (isElsewhere && belongsThere(node.op, args)) applyElsewhere(exec, node, [node.op, args], job, finish);
    else apply(exec, node.op, args, job, finish);
  });
}

/** Texts and bigints may become long, and what is done to them may then take long. */
const GROWING = new Set(["add", "sub", "mul", "div"]);
const LONG = 10_000;

/** Whether an operation is for the place where the package is. */
function belongsThere(op: string, args: readonly unknown[]): boolean {
  if (READING.has(op)) return args[0] instanceof ForeignValue;
  const isLarge = (arg: unknown): boolean =>
    typeof arg === "bigint" || (typeof arg === "string" && arg.length > LONG);
  return GROWING.has(op) && args.some(isLarge);
}

function apply(exec: Execution, op: string, args: readonly unknown[], job: Job, finish: Done): void {
  let result: unknown;
  try {
    if (op === "call" && exec.options.registry.elsewhere !== undefined) refuseMethod(args[0]);
    result = applyOperation(op, args);
  } catch (error) {
    finish(true, error);
    return;
  }
  if (isThenable(result) && nodeOf(result) === undefined) {
    exec.await(
      result,
      (value) => evaluate(exec, value, job, finish),
      (error) => finish(true, error),
    );
  } else evaluate(exec, result, job, finish);
}

/** Tasks are values, other functions are methods that were read in one place and are called in another. */
function refuseMethod(callee: unknown): void {
  if (typeof callee !== "function" || codecOf(callee) !== undefined) return;
  throw new RedunError(
    "forbidden-member",
    "Cannot call a method of a lazy value apart from the value: not allowed",
    {
      hint: "Call it where it is read: value.method(…).",
    },
  );
}

function applyElsewhere(
  exec: Execution,
  node: SimpleNode,
  [op, args]: readonly [op: string, args: readonly unknown[]],
  job: Job,
  finish: Done,
): void {
  const work = {
    evalHash: node.hash,
    task: `redun.${op}`,
    operation: true,
    args: [lazy(new SimpleNode(op, args))],
  };
  try {
    runPackageCode(exec, job, work, (failed, result) => {
      if (failed) finish(true, result);
      else evaluate(exec, result, job, finish);
    });
  } catch (error) {
    finish(true, error);
  }
}
