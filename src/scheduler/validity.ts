import { nodeOf, TaskNode } from "../expression/node.ts";
import { isCurrentTask, isPartialTask, isTask } from "../task/task.ts";
import { leaves } from "../value/nested.ts";
import { codecOf } from "../value/registry.ts";
import type { Execution } from "./execution.ts";

/**
 * Whether every part of a cached value still describes the world. A task expression does while a task of its name is
 * registered, whatever that task's code is now, since the code is looked up when the expression is evaluated.
 *
 * @returns a promise only if some part had to look outside
 */
export function isValidNested(exec: Execution, root: unknown): boolean | Promise<boolean> {
  const promises: Promise<boolean>[] = [];
  const stack: unknown[] = [root];
  while (stack.length > 0) {
    for (const leaf of leaves(stack.pop())) {
      if ((typeof leaf !== "object" && typeof leaf !== "function") || leaf === null) continue;
      const node = nodeOf(leaf);
      if (node !== undefined) {
        if (node instanceof TaskNode && exec.taskOf(node) === undefined) return false;
        stack.push(node.args);
        continue;
      }
      const valid =
        isTask(leaf) || isPartialTask(leaf)
          ? isCurrentTask(leaf, exec.options.registry)
          : (codecOf(leaf)?.isValid?.(leaf) ?? true);
      if (valid === false) return false;
      if (valid !== true) promises.push(valid);
    }
  }
  return promises.length === 0 ? true : Promise.all(promises).then((all) => all.every(Boolean));
}
