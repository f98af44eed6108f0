import type {
  CallNodeRecord,
  ExecutionRecord,
  JobRecord,
  RecordBatch,
  TaskRecord,
  ValueRecord,
} from "../backend/records.ts";
import {
  batchOf,
  callOf,
  errorOf,
  evaluationOf,
  fileOf,
  idOf,
  tagOf,
  taskOf,
  valueRecord,
} from "./contract-records.ts";

type StoryTask = "main" | "add" | "plainAdd" | "oldAdd" | "read" | "fail";
type StoryValue = "one" | "two" | "three" | "file" | "copy" | "content" | "inner" | "result" | "boom";
type StoryCall = "read" | "add" | "main" | "plain" | "fail";

const tasks: Readonly<Record<StoryTask, TaskRecord>> = {
  main: taskOf("app.main"),
  add: taskOf("math.add"),
  plainAdd: taskOf("add"),
  oldAdd: taskOf("math.add", "0"),
  read: taskOf("app.io.read"),
  fail: taskOf("app.fail"),
};

const file = fileOf("data/in.txt");
const copy = fileOf("data/[out]/copy.txt");

const values: Readonly<Record<StoryValue, ValueRecord>> = {
  one: valueRecord(1),
  two: valueRecord(2),
  three: valueRecord(3),
  file,
  copy,
  content: valueRecord(["content"], { subvalues: [copy, valueRecord("inner")] }),
  inner: valueRecord("inner"),
  result: valueRecord({ total: 3, of: "app.main" }, { subvalues: [copy] }),
  boom: errorOf("boom"),
};

const read = callOf({ task: tasks.read, args: [file], value: values.content, timestamp: 1100 });
const add = callOf({ task: tasks.add, args: [values.one, values.two], value: values.three, timestamp: 1200 });
const main = callOf({
  task: tasks.main,
  args: [
    { position: 0, key: null, value: values.content, upstream: [read.callHash] },
    { position: null, key: "scale", value: values.one, upstream: [] },
  ],
  value: values.result,
  children: [read, add, add],
  timestamp: 1300,
});
const plain = callOf({ task: tasks.plainAdd, args: [values.two], value: values.two, timestamp: 2100 });
const fail = callOf({ task: tasks.fail, args: [values.one], value: values.boom, timestamp: 2200 });
const calls: Readonly<Record<StoryCall, CallNodeRecord>> = { read, add, main, plain, fail };

const execution = (name: string, startTime: number): ExecutionRecord => ({
  id: idOf(name),
  args: ["redun", "run", name],
  jobId: idOf(`${name} root`),
  startTime,
});

const job = (name: string, of: string, more: Partial<JobRecord> & { taskHash: string }): JobRecord => ({
  id: idOf(`${of} ${name}`),
  executionId: idOf(of),
  parentId: name === "root" ? null : idOf(`${of} root`),
  startTime: 1000,
  ...more,
});

const ended = (callHash: string, endTime: number, cached = false) => ({ callHash, endTime, cached });

/**
 * Three executions: `first` is done, with two equal calls and files; `second` has failed; `third` is running. Names of
 * jobs begin with their execution's.
 */
export const story: {
  readonly tasks: Readonly<Record<StoryTask, TaskRecord>>;
  readonly values: Readonly<Record<StoryValue, ValueRecord>>;
  readonly calls: Readonly<Record<StoryCall, CallNodeRecord>>;
  readonly batch: RecordBatch;
} = {
  tasks,
  values,
  calls,
  batch: batchOf({
    tasks: Object.values(tasks),
    callNodes: [read, add, main, plain, fail],
    evaluations: [evaluationOf(add), evaluationOf(plain)],
    executions: [execution("first", 1000), execution("second", 2000), execution("third", 3000)],
    jobs: [
      job("root", "first", { taskHash: tasks.main.hash, ...ended(main.callHash, 1300) }),
      job("read", "first", { taskHash: tasks.read.hash, startTime: 1050, ...ended(read.callHash, 1100) }),
      job("add", "first", { taskHash: tasks.add.hash, startTime: 1100, ...ended(add.callHash, 1200) }),
      job("again", "first", {
        taskHash: tasks.add.hash,
        startTime: 1110,
        ...ended(add.callHash, 1210, true),
      }),
      job("root", "second", { taskHash: tasks.fail.hash, startTime: 2000, ...ended(fail.callHash, 2200) }),
      job("plain", "second", {
        taskHash: tasks.plainAdd.hash,
        startTime: 2050,
        ...ended(plain.callHash, 2100),
      }),
      job("root", "third", { taskHash: tasks.main.hash, startTime: 3000 }),
    ],
    tags: [
      tagOf("Execution", idOf("first"), "project", "alpha"),
      tagOf("Execution", idOf("first"), "user", "ada"),
      tagOf("Execution", idOf("second"), "project", "beta"),
      tagOf("Job", idOf("first add"), "cost", 5),
      tagOf("Task", tasks.add.hash, "reviewed", true),
      tagOf("Value", values.result.hash, "good", null),
      tagOf("CallNode", add.callHash, "kept", ["yes"]),
    ],
  }),
};
