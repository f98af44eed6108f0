import type { SchedulerOps, TagList } from "../builtins/ops.ts";
import { isThenable } from "../expression/expression.ts";
import {
  type ExpressionNode,
  nodeOf,
  type Options,
  type SchedulerNode,
  TaskNode,
} from "../expression/node.ts";
import { jobStorage } from "../task/current-job.ts";
import { leaves } from "../value/nested.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { Cell } from "./cell.ts";
import { evaluate } from "./evaluate.ts";
import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";
import { jobTags, recordTags } from "./tags.ts";
import { isValidNested } from "./validity.ts";

/** The narrow view of an execution that a scheduler task gets. */
export function opsFor(exec: Execution, node: SchedulerNode, job: Job, cell: Cell): SchedulerOps {
  const evaluateUnder = (value: unknown, parent: Job): Cell => {
    const inner = new Cell();
    exec.push(() =>
      evaluate(exec, value, parent, (failed, result, encoded) => exec.settle(inner, failed, result, encoded)),
    );
    return inner;
  };
  const resolve = (value: unknown): void =>
    evaluate(exec, value, job, (failed, result, encoded) => exec.settle(cell, failed, result, encoded));
  const reject = (error: unknown): void => void exec.settle(cell, true, error);
  const scope = node.options.cacheScope ?? (node.options.cache === false ? "CSE" : "BACKEND");
  return {
    node,
    evaluate: (value) => evaluateUnder(value, job),
    evaluateWith: (value, exported) => evaluateUnder(value, withExports(job, exported)),
    context: job.context.values,
    usesCache: job.prov && exec.options.cache && scope === "BACKEND",
    settle: {
      resolve,
      reject,
      follow: (pending) =>
        pending.listen((from) => exec.settle(cell, from.isFailed, from.value, (from as Cell).encoded)),
    },
    hold: (run) => {
      const result = jobStorage.run(job, run);
      if (isThenable(result)) exec.hold(result, resolve, reject);
      else resolve(result);
    },
    task: (fullname) => exec.options.registry.get(fullname),
    recall: (evalHash, taskHash, argsHash, found) => {
      const query = { evalHash, taskHash, argsHash, allowed: ["single"] as const, contextHash: undefined };
      const answer = exec.options.backend.lookup([query], () => true);
      const take = (text: string | undefined): void => {
        let value: unknown;
        try {
          value = text === undefined ? undefined : decodeValue(text);
        } catch {
          found(undefined, false);
          return;
        }
        const valid = text === undefined ? false : isValidNested(exec, value);
        if (typeof valid === "boolean") found(valid ? value : undefined, valid);
        else
          exec.await(
            valid,
            (good) => found(value, good),
            () => found(undefined, false),
          );
      };
      if (answer instanceof Promise) {
        exec.await(
          answer,
          ([hit]) => take(hit?.value.text),
          (error) => exec.abort(error),
        );
      } else take(answer[0]?.value.text);
    },
    remember: (evalHash, taskHash, argsHash, value) => {
      if (job.prov) exec.recorder.evaluation({ evalHash, taskHash, argsHash, value });
    },
    tasksUsed: (value) => tasksUsed(exec, job, value),
    isCurrent: (hash) => exec.options.registry.hashes().has(hash),
    tagValue: (value, tags) => {
      if (!job.prov) return;
      const encoded = encodeValue(value);
      exec.recorder.value(encoded);
      recordTags(exec, "Value", encoded.hash, jobTags(tags));
    },
    tagJob: (tags: TagList) => {
      if (job.prov) recordTags(exec, "Job", job.id, jobTags(tags));
    },
    tagExecution: (tags: TagList) => {
      if (exec.isRecorded) recordTags(exec, "Execution", exec.id, jobTags(tags));
    },
  };
}

function tasksUsed(exec: Execution, job: Job, root: unknown): readonly string[] {
  const seen = new Set<ExpressionNode>();
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    for (const leaf of leaves(stack.pop())) {
      const node = nodeOf(leaf);
      if (node === undefined || seen.has(node)) continue;
      seen.add(node);
      stack.push(node.args);
    }
  }
  const hashes = new Set<string>();
  for (const child of job.children ?? []) {
    if (!seen.has(child.node)) continue;
    for (const hash of child.subtree?.hashes ?? []) hashes.add(hash);
  }
  for (const node of seen) {
    const task = node instanceof TaskNode ? exec.taskOf(node) : undefined;
    if (task !== undefined) hashes.add(task.definition.hash);
  }
  return [...hashes].sort();
}

/** The job, as an evaluation whose jobs inherit more options sees it. */
function withExports(job: Job, exported: Options): Job {
  const exports = { ...job.exports, ...exported };
  return Object.create(job, {
    exports: { value: exports },
    prov: { value: job.prov && exports.prov !== false },
    cells: { value: new Map(), writable: true },
    children: {
      get: () => job.children,
      set: (children) => {
        job.children = children;
      },
    },
  });
}
