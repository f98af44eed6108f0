import type { JobStatus } from "../backend/records.ts";
import { NO_OPTIONS, type Options, type TaskNode } from "../expression/node.ts";
import type { Task } from "../task/task.ts";
import { uuid } from "../util/uuid.ts";
import { display, trim } from "../value/display.ts";
import type { EncodedValue } from "../value/value.ts";
import type { Cell } from "./cell.ts";
import type { JobInfo } from "./events.ts";
import type { Units } from "./limits.ts";
import type { TaskSet } from "./task-set.ts";

/** Values visible to a job and all below it. One object a distinct context, so that its hash is computed once. */
export interface JobContext {
  readonly values: Readonly<Record<string, unknown>>;
  /** The context's value, or undefined for the empty one. */
  readonly encoded: EncodedValue | undefined;
}

export const EMPTY_CONTEXT: JobContext = { values: Object.freeze({}), encoded: undefined };

/** One attempt to evaluate one task expression in one execution. */
export class Job {
  readonly id: string = uuid();
  readonly node: TaskNode;
  readonly task: Task;
  readonly parent: Job | undefined;
  readonly executionId: string;
  readonly cell: Cell;
  /** How many jobs it is inside of. */
  readonly depth: number;
  /** Jobs of the expressions in this job's result, in the order in which they were met. */
  children: Job[] | undefined = undefined;
  /** Values of expressions under this job: the only one, or all by expression hash. */
  private cells: Cell | Map<string, Cell> | undefined = undefined;
  options: Options = NO_OPTIONS;
  /** Options that jobs below inherit. */
  exports: Options = NO_OPTIONS;
  context: JobContext = EMPTY_CONTEXT;
  prov = true;
  /** Evaluated arguments, defaults included, by position. */
  args: readonly unknown[] = [];
  argValues: readonly (EncodedValue | undefined)[] = [];
  argsHash = "";
  evalHash: string | undefined = undefined;
  taskHash = "";
  status: "PENDING" | JobStatus = "PENDING";
  /** Milliseconds since the epoch; 0 before the start. */
  startTime = 0;
  /** When the function began, or went on after awaiting an expression, in milliseconds since the epoch. */
  busySince = 0;
  /** Whether the function took so long that its result is stored before it is announced. */
  slow = false;
  cached = false;
  /** Whether the function has awaited an expression, so that its children don't show in what it returned. */
  awaited = false;
  attempts = 0;
  units: Units | undefined = undefined;
  callHash: string | undefined = undefined;
  subtree: TaskSet | undefined = undefined;
  recordedStart = false;
  abort: AbortController | undefined = undefined;
  private callText: string | undefined = undefined;
  log: string[] | undefined = undefined;

  constructor(node: TaskNode, task: Task, parent: Job | undefined, executionId: string, cell: Cell) {
    this.node = node;
    this.task = task;
    this.parent = parent;
    this.executionId = executionId;
    this.cell = cell;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
  }

  get isEnded(): boolean {
    return this.status === "DONE" || this.status === "CACHED" || this.status === "FAILED";
  }

  /** Whether a default is the argument at this position: as in JavaScript, for one that is missing or `undefined`. */
  isFilled(position: number): boolean {
    const { args } = this.node;
    if (position >= args.length) return true;
    return args[position] === undefined && this.task.definition.defaults[position] !== undefined;
  }

  /** The call as text: every parameter by name. */
  get call(): string {
    if (this.callText !== undefined) return this.callText;
    const names = this.task.definition.parameters;
    const shown = this.args.map(
      (arg, i) => `${names[i] ?? (names.length > 0 ? `${names.at(-1)}${i}` : `arg${i}`)}=${display(arg)}`,
    );
    return `${this.task.fullname}(${trim(shown.join(", "), 10_000)})`;
  }

  /** Hash of the code package that its code came from, if it came from one. */
  get package(): string | undefined {
    return this.task.definition.package;
  }

  get info(): JobInfo {
    const job = this;
    return {
      id: this.id,
      executionId: this.executionId,
      parentId: this.parent?.id ?? null,
      task: this.task.fullname,
      evalHash: this.evalHash,
      get call() {
        return job.call;
      },
    };
  }

  /** The cell of an expression under this job. */
  cellOf(hash: string): Cell | undefined {
    if (this.cells instanceof Map) return this.cells.get(hash);
    return this.cells?.node?.hash === hash ? this.cells : undefined;
  }

  /** Adds the cell of an expression that has none yet. */
  addCell(hash: string, cell: Cell): void {
    const { cells } = this;
    if (cells === undefined) this.cells = cell;
    else if (cells instanceof Map) cells.set(hash, cell);
    else {
      this.cells = new Map([
        [cells.node!.hash, cells],
        [hash, cell],
      ]);
    }
  }

  /** Forgets what the function has called, before it is called again. */
  forgetChildren(): void {
    this.children = undefined;
    this.cells = undefined;
  }

  /** Lets go of what only a running job needs. */
  release(keepCall: boolean): void {
    if (keepCall) this.callText = this.call;
    this.args = [];
    this.argValues = [];
    this.forgetChildren();
    this.abort = undefined;
    this.log = undefined;
  }
}
