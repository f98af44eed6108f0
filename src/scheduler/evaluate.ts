import { type SchedulerFunction, type SchedulerOps, schedulerTaskNamed } from "../builtins/ops.ts";
import { runUserSchedulerTask } from "../builtins/scheduler-task.ts";
import { SchedulerError, UnknownTaskError } from "../errors/errors.ts";
import {
  type ExpressionNode,
  nodeOf,
  SchedulerNode,
  SimpleNode,
  TaskNode,
  ValueNode,
} from "../expression/node.ts";
import { DescribedDefinition } from "../task/description.ts";
import { userSchedulerFunctions } from "../task/scheduler-task.ts";
import { isContainer, leaves, mapNested } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import { type EncodedValue, encodeValue } from "../value/value.ts";
import { Cell, resolved } from "./cell.ts";
import type { Execution } from "./execution.ts";
import { Job } from "./job.ts";
import { evaluateOperation } from "./operation.ts";
import { runPackageCode } from "./package-code.ts";
import { prepareJob } from "./prepare.ts";
import { opsFor } from "./scheduler-ops.ts";

export type Done = (failed: boolean, result: unknown, encoded?: EncodedValue) => void;

/** Whether a value is, or holds, an expression. */
export function hasExpression(value: unknown): boolean {
  if (typeof value === "function") return nodeOf(value) !== undefined;
  if (!isContainer(value) || isFlat(value)) return false;
  for (const leaf of leaves(value)) if (nodeOf(leaf) !== undefined) return true;
  return false;
}

/** Whether a value is a list of nothing but primitives, which is what most argument lists are. */
function isFlat(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  for (const item of value)
    if ((typeof item === "object" && item !== null) || typeof item === "function") return false;
  return true;
}

/**
 * Evaluates a value for a job: every expression in it, in parallel. Calls `done` with the first error, or with the
 * value once all is known; at once if there is nothing to evaluate.
 *
 * @param job - the parent of the jobs that this makes; none only for the root
 */
export function evaluate(exec: Execution, value: unknown, job: Job | undefined, done: Done): void {
  const node = nodeOf(value);
  if (node !== undefined) {
    evaluateNode(exec, node, job).listen((cell) => done(cell.isFailed, cell.value, cell.encoded));
    return;
  }
  if (!isContainer(value) || isFlat(value)) {
    done(false, value);
    return;
  }
  const found = new Set<ExpressionNode>();
  // Leaves come in reverse order, and the order of jobs should be that of the value.
  for (const leaf of leaves(value)) {
    const inner = nodeOf(leaf);
    if (inner !== undefined) found.add(inner);
  }
  if (found.size === 0) {
    done(false, value);
    return;
  }
  const nodes = [...found].reverse();
  const cells = new Map<ExpressionNode, Cell>();
  let left = nodes.length;
  let ended = false;
  const arrived = (cell: Cell): void => {
    left--;
    if (ended) return;
    if (cell.isFailed) {
      ended = true;
      done(true, cell.error);
    } else if (left === 0) {
      ended = true;
      done(
        false,
        mapNested((leaf) => {
          const inner = nodeOf(leaf);
          return inner === undefined ? leaf : cells.get(inner)!.value;
        }, value),
      );
    }
  };
  for (const inner of nodes) cells.set(inner, evaluateNode(exec, inner, job));
  // Listening comes after, for a cell that has its value calls at once.
  for (const inner of nodes) cells.get(inner)!.listen(arrived);
}

/** The cell of an expression under a job, whose evaluation has begun. Equal expressions under one job share it. */
function evaluateNode(exec: Execution, node: ExpressionNode, job: Job | undefined): Cell {
  if (node instanceof ValueNode && !hasExpression(node.value)) return resolved(node.value);
  let hash: string;
  try {
    hash = node.hash;
  } catch (error) {
    return evaluateAfterRefresh(exec, node, job, error);
  }
  if (job !== undefined) {
    const known = job.cellOf(hash);
    if (known !== undefined) {
      if (known.node !== node) shareProvenance(known, node);
      return known;
    }
  }
  const cell = new Cell(node);
  job?.addCell(hash, cell);
  if (node instanceof TaskNode) createJob(exec, node, job, cell);
  else exec.push(() => step(exec, node, job, cell));
  return cell;
}

/** An equal expression takes over the call that the first one led to, once it is known. */
function shareProvenance(cell: Cell, twin: ExpressionNode): void {
  const node = cell.node!;
  const share = (other: ExpressionNode): void => {
    other.callHash = node.callHash;
    other.upstreams ??= node.upstreams;
  };
  if (cell.isSettled) share(twin);
  else if (cell.twins === undefined) {
    const twins = [twin];
    cell.twins = twins;
    cell.listen(() => twins.forEach(share));
  } else cell.twins.push(twin);
}

/** Values such as files must look outside before they have a hash; then the evaluation begins again. */
function evaluateAfterRefresh(
  exec: Execution,
  node: ExpressionNode,
  job: Job | undefined,
  error: unknown,
): Cell {
  const cell = new Cell();
  const refreshes = staleParts(node);
  if (refreshes.length === 0) {
    exec.push(() => exec.settle(cell, true, error));
    return cell;
  }
  exec.await(
    Promise.all(refreshes),
    () =>
      evaluateNode(exec, node, job).listen((inner) =>
        exec.settle(cell, inner.isFailed, inner.value, inner.encoded),
      ),
    (failure) => exec.settle(cell, true, failure),
  );
  return cell;
}

/** The refreshes that values in an expression's arguments need. */
export function staleParts(root: unknown): Promise<void>[] {
  const refreshes: Promise<void>[] = [];
  const seen = new Set<ExpressionNode>();
  const stack: unknown[] = [root instanceof Object && "args" in root ? (root as ExpressionNode).args : root];
  while (stack.length > 0) {
    for (const leaf of leaves(stack.pop())) {
      if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
      const node = nodeOf(leaf);
      if (node !== undefined) {
        if (!seen.has(node)) {
          seen.add(node);
          stack.push(node.args);
          if ("options" in node) stack.push(node.options);
        }
        continue;
      }
      const codec = codecOf(leaf);
      const refresh = codec?.refresh?.(leaf);
      if (refresh !== undefined) refreshes.push(refresh);
      // A quoted expression, a partial task and the like hold values of their own.
      else if (codec !== undefined && codec.refresh === undefined && codec.name.startsWith("redun.")) {
        const data = codec.encode(leaf);
        if (typeof data === "object") stack.push(data);
      }
    }
  }
  return refreshes;
}

/** A job exists from here on, before its arguments are evaluated: its place among its parent's children is this. */
function createJob(exec: Execution, node: TaskNode, parent: Job | undefined, cell: Cell): void {
  const task = exec.taskOf(node);
  if (task === undefined) {
    exec.push(() => exec.settle(cell, true, unknownTask(exec, node.taskName, parent)));
    return;
  }
  const job = new Job(node, task, parent, exec.id, cell);
  if (parent === undefined) exec.rootJob = job;
  else if (parent.children === undefined) parent.children = [job];
  else parent.children.push(job);
  exec.count(job, undefined, "PENDING");
  exec.push(() => prepareJob(exec, job));
}

function unknownTask(exec: Execution, fullname: string, caller: Job | undefined): UnknownTaskError {
  const known = exec.options.registry.names().filter((name) => !name.startsWith("redun."));
  const isDescribed = caller?.task.definition instanceof DescribedDefinition;
  return new UnknownTaskError(fullname, known, isDescribed ? DESCRIBED_ONLY : undefined);
}

const DESCRIBED_ONLY =
  "This scheduler loads no code: it knows the tasks that the workflow's modules define when they are loaded. Define the task at the top of a module; give asTask and applyFunc the name of a function that is defined there.";

function step(exec: Execution, node: ExpressionNode, job: Job | undefined, cell: Cell): void {
  const finish: Done = (failed, result, encoded) => exec.settle(cell, failed, result, encoded);
  if (node instanceof SimpleNode) {
    if (job === undefined) finish(true, new SchedulerError("Cannot evaluate an operation outside of a job"));
    else evaluateOperation(exec, node, job, finish);
  } else if (node instanceof ValueNode) {
    evaluate(exec, node.value, job, finish);
  } else if (node instanceof SchedulerNode) {
    const run = schedulerFunction(exec, node.taskName, job);
    if (job === undefined)
      finish(true, new SchedulerError("Cannot evaluate a scheduler task outside of a job"));
    else if (run === undefined) finish(true, unknownTask(exec, node.taskName, job));
    else {
      try {
        run(opsFor(exec, node, job, cell), ...node.args);
      } catch (error) {
        finish(true, error);
      }
    }
  }
}

/** What a scheduler task does: one of the engine's own, or a user's, where its code is. */
function schedulerFunction(
  exec: Execution,
  fullname: string,
  job: Job | undefined,
): SchedulerFunction | undefined {
  const own = schedulerTaskNamed(fullname);
  if (own !== undefined) return own;
  if (exec.options.registry.elsewhere?.schedulerTasks.has(fullname))
    return (ops) => runThere(exec, job!, ops);
  const fn = userSchedulerFunctions.get(fullname);
  return fn === undefined ? undefined : (ops) => runUserSchedulerTask(ops, fn);
}

/** Runs a scheduler task where its package is loaded. */
function runThere(exec: Execution, job: Job, { node, context, settle }: SchedulerOps): void {
  const { taskName: task, hash: evalHash, args } = node;
  const schedulerContext = encodeValue(context, "context").text;
  runPackageCode(exec, job, { task, evalHash, args, schedulerContext }, (failed, result) =>
    failed ? settle.reject(result) : settle.resolve(result),
  );
}
