import { RedunError } from "../errors/redun-error.ts";
import { describeTask } from "../task/description.ts";
import { userSchedulerFunctions } from "../task/scheduler-task.ts";
import type { Task } from "../task/task.ts";
import { customTypes } from "../value/registry.ts";
import type { PackageDescription } from "./executor.ts";

/**
 * Describes what a package defines, where it is loaded and nothing else is.
 *
 * @throws TaskOptionError if an option of a task can't be encoded
 * @throws RedunError with code `value-type` if what a value type holds can't be known without its code
 */
export function describePackage(tasks: readonly Task[]): PackageDescription {
  const types = customTypes();
  const own = types.find(({ shared, subvalues }) => shared ?? subvalues);
  if (own !== undefined) {
    throw new RedunError(
      "value-type",
      `Cannot run the package here: its value type ${own.name} has code that the scheduler would have to call`,
      {
        hint: "Leave out shared and subvalues of the type, or run the workflow where its code is loaded.",
        fields: { type: own.name },
      },
    );
  }
  return {
    tasks: tasks.map(describeTask),
    schedulerTasks: [...userSchedulerFunctions.keys()],
    validatedTypes: types.filter(({ isValid }) => isValid !== undefined).map(({ name }) => name),
  };
}
