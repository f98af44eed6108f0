import type { PackageTask } from "../package/types.ts";
import type { Task } from "../task/task.ts";
import { dedent } from "../util/dedent.ts";
import { taskCommand } from "./task-options.ts";
import { indent } from "./text.ts";
import type { Workflow } from "./workflow.ts";

/** The workflow's tasks by fullname. */
export function tasksHelp({ tasks }: Workflow): string {
  if (tasks.length === 0) return "Tasks available: none";
  const sorted = [...tasks].sort((a, b) => (a.task.fullname < b.task.fullname ? -1 : 1));
  const width = Math.max(...sorted.map(({ task }) => task.fullname.length));
  const lines = sorted.map(({ task, described }) => {
    const summary = described.doc?.split("\n", 1)[0] ?? "";
    return `  ${task.fullname.padEnd(width)}  ${summary}`.trimEnd();
  });
  return ["Tasks available:", ...lines].join("\n");
}

/** How to call a task from the command line. See {@link taskCommand}. */
export function taskHelp(script: string, task: PackageTask, defaults: readonly unknown[]): string {
  const command = taskCommand(task, defaults).usage(task.parameters.length > 0 ? "[--arg VALUE]..." : "");
  const text = command.helpInformation().replace(/^Usage: /, `Usage: redun run ${script} `);
  return text.replace("\nOptions:", "\nArguments:").trimEnd();
}

/** A task's hash, name and source. */
export function taskInfo(task: Task): string {
  return [`Task ${task.hash} ${task.fullname}`, "", indent(dedent(task.source), "    ")].join("\n");
}
