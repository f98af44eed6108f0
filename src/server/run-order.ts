import { UnknownTaskError } from "../errors/errors.ts";
import type { StoredPackage } from "../package/types.ts";
import type { TaskRegistry } from "../task/registry.ts";
import type { Task } from "../task/task.ts";
import { uuid } from "../util/uuid.ts";
import { decodeValue } from "../value/value.ts";
import { ApiError } from "./api-error.ts";
import type { HostedRun } from "./execution-types.ts";

/** What is to be run. */
export interface RunOrder
  extends Pick<HostedRun, "package" | "task" | "args" | "options" | "tags" | "context" | "user"> {
  readonly id?: string | undefined;
  /** Asking twice with one key runs once. */
  readonly key?: string | undefined;
  readonly commandLine?: readonly string[] | undefined;
}

/** Bytes of what is asked for. With its outcome it has to fit into a row of a Durable Object, which holds 2 MB. */
const LONGEST_ORDER = 1_000_000;

/** The run of an order, which waits. @throws ApiError if the order can't be right */
export function runOf(order: RunOrder, { manifest }: StoredPackage): HostedRun {
  if (!Array.isArray(decodeValue(order.args)))
    throw new ApiError(400, "invalid-request", "Cannot start: the arguments are not a list");
  const id = order.id ?? uuid();
  const run: HostedRun = {
    id,
    created: Date.now(),
    status: "QUEUED",
    package: order.package,
    task: order.task,
    args: order.args,
    options: order.options,
    tags: order.tags,
    context: order.context,
    commandLine: order.commandLine ?? ["redun", "run", manifest.entry, order.task],
    user: order.user,
    current: id,
    interrupted: [],
    tries: 0,
  };
  refuseIfLong(run);
  return run;
}

function refuseIfLong(run: HostedRun): void {
  const size = new TextEncoder().encode(JSON.stringify(run)).length;
  if (size <= LONGEST_ORDER) return;
  throw new ApiError(
    413,
    "too-large",
    `Cannot start: the arguments and tags take ${size} bytes, more than ${LONGEST_ORDER}`,
    { hint: "Send large data as a file with PUT …/uploads/:hash/:name, and give the task that file." },
  );
}

/** The expression that a run evaluates. @throws UnknownTaskError */
export function callOf(run: HostedRun, registry: TaskRegistry<Task>): unknown {
  const task = registry.get(run.task);
  if (task === undefined) {
    throw new UnknownTaskError(
      run.task,
      registry.names().filter((name) => !name.startsWith("redun.")),
    );
  }
  const { task: options } = run.options;
  const target = options === undefined ? task : task.options(options);
  return target(...(decodeValue(run.args) as unknown[]));
}
