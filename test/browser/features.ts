/**
 * All that a workflow may use of the engine, for the test that compares the runtimes. No call is made twice with arguments
 * from different places: only those of the one that ends first are recorded.
 */
import {
  and,
  applyFunc,
  applyTags,
  asTask,
  ContentDir,
  ContentFile,
  ContentFileSet,
  catchAll,
  catchError,
  compose,
  cond,
  constant,
  delay,
  dividedBy,
  type Expression,
  eq,
  flatMap,
  flatten,
  force,
  ge,
  getContext,
  gt,
  identity,
  isExpression,
  isTask,
  le,
  lt,
  map,
  minus,
  namespace,
  ne,
  noProv,
  not,
  or,
  plus,
  quote,
  registerValue,
  schedulerTask,
  script,
  seq,
  starmap,
  type Task,
  task,
  throwError,
  times,
  zip,
} from "redun";

// biome-ignore lint/suspicious/noExplicitAny: what tasks give is not what is tested here
type AnyTask = Task<any[], any>;

const math = namespace("features.math");
const add: AnyTask = math.task("add", (a: number, b: number) => a + b);
const double: AnyTask = task(
  { name: "double", namespace: "features.math", version: "2" },
  (x: number) => 2 * x,
);
const pair: AnyTask = task({ name: "features.pair", nout: 2 }, (x: number) => [x, x + 1]);
const range: AnyTask = task("features.range", (n: number) => Array.from({ length: n }, (_, i) => i));
const isBig: AnyTask = task("features.is_big", (x: number) => x > 2);
const record: AnyTask = task("features.record", (x: number) => ({ x, list: [x, { y: x }], name: `n${x}` }));
const fails: AnyTask = task("features.fails", (what: string) => {
  throw new RangeError(`no ${what}`);
});
const recovers: AnyTask = task("features.recovers", (error: Error) => [error.name, error.message]);
const tells: AnyTask = task("features.tells", (parts: unknown[]) =>
  parts.map((part) => (part instanceof Error ? part.message : part)),
);

const FACTOR = 10;
function scale(x: number): number {
  return x * FACTOR;
}

const lengthOf: AnyTask = task("features.length_of", (size: number) => new Length(size, "m"));
const words: AnyTask = task("features.words", (text: string) => text);
export const operators: AnyTask = task("features.operators", () => {
  const two = add(1, 1);
  return [
    ...[eq(two, 2), ne(two, 2), lt(two, 3), le(two, 2), gt(two, 2), ge(two, 2)],
    ...[plus(two, 1), minus(two, 1), times(two, two), dividedBy(two, 4)],
    ...[and(two, 0), or(0, two), not(two)],
    ...[record(1).x, record(1).list[1].y, record(2).name.toUpperCase(), range(4).slice(1, 3)],
    { deep: [new Map([["k", two]]), new Set([add(2, 2), 3])] },
    ...[
      lengthOf(4).size,
      lengthOf(4).half,
      lengthOf(4).show("m"),
      words("a-b").split("-"),
      words("abc").match("b")[0],
    ],
  ];
});

export const control: AnyTask = task("features.control", () => {
  const [first, second] = pair(5) as unknown as [unknown, unknown];
  return [
    ...[first, second],
    cond(isBig(3), add(1, 2), fails("branch")),
    cond(isBig(1), fails("branch"), isBig(0), 1, "neither"),
    seq([add(1, 1), add(2, 2)]),
    catchError(fails("luck"), RangeError, recovers),
    catchError(catchError(fails("luck"), TypeError, recovers), Error, recovers),
    catchAll([add(1, 2), fails("time"), [fails("luck")]], Error, tells),
    catchError(throwError(new TypeError("thrown")), TypeError, recovers),
    noProv(add(7, 7)),
    applyTags(add(8, 8), { kind: "tagged" }, { level: 1 }, { run: true }),
  ];
});

export const functional: AnyTask = task("features.functional", () => [
  map(double, range(3)),
  map(double.partial(), [11, 12]),
  starmap(add, [
    [1, 2],
    [3, 4],
  ]),
  starmap(add, zip(range(2), [70, 71])),
  flatMap(range, [5, 6]),
  flatten([range(1), range(2)]),
  zip(range(2), [3, 4]),
  compose(double, add)(20, 1),
  compose(double.partial(), double)(30),
  identity(add(3, 3)),
  constant(7, add(1, 1)),
  force(delay(add(4, 4))),
  applyFunc(scale, add(1, 1)),
  asTask(scale)(3),
  map(asTask(scale), range(2)),
  add.partial(1)(2),
  calls(double, quote(add(1, 1))),
]);
const calls: AnyTask = task("features.calls", (callee: AnyTask, quoted: unknown) => [
  isTask(callee),
  isExpression(quoted),
  callee(41),
]);

const firstOf = schedulerTask(
  "features.first_of",
  async (scheduler, ...items: readonly unknown[]): Promise<unknown> => {
    for (const item of items) {
      try {
        return [await scheduler.evaluate(item), scheduler.context.unit ?? null];
      } catch {
        // The next may do better.
      }
    }
    return null;
  },
);
const lazily = schedulerTask("features.lazily", (_scheduler, which: boolean, a: unknown, b: unknown) =>
  which ? a : b,
);
export const scheduled: AnyTask = task("features.scheduled", () => [
  firstOf(fails("luck"), add(1, 2), fails("never")),
  lazily(true, add(5, 5), fails("never")),
  lazily(false, fails("never"), [add(6, 6), { in: add(7, 7) }]),
]);

const unit: AnyTask = task(
  { name: "features.unit", defaults: [getContext("unit", "none")] },
  (name?: string) => name,
);
const outer: AnyTask = task("features.outer", () => [unit(), unit("given"), inner()]);
const inner: AnyTask = task("features.inner", () => getContext("deep.level", 0));
export const contexts: AnyTask = task("features.contexts", () => [
  outer(),
  outer.updateContext({ unit: "mm", deep: { level: 2 } })(),
  outer.options({ cacheScope: "CSE" })(),
]);

const quiet: AnyTask = task(
  { name: "features.quiet", configArgs: ["verbose"], hashIncludes: ["salt", 1] },
  (x: number, verbose = false) => (verbose ? x : x + 0),
);
const flaky: AnyTask = task({ name: "features.flaky", retries: 2, cache: false }, (x: number) => x);
const limited: AnyTask = task(
  { name: "features.limited", limits: { disk: 1 }, tags: { kind: "io" } },
  (x: number) => x,
);
const whole: AnyTask = task({ name: "features.whole", checkValid: "shallow" }, (x: number) =>
  add(double(x), 1),
);
const optioned: AnyTask = task(
  { name: "features.optioned", memory: plus(1, 1) as unknown as number },
  (x: number) => x,
);
export const options: AnyTask = task("features.options", () => [
  quiet(1, true),
  quiet(1, false),
  flaky(2),
  [1, 2, 3].map((x) => limited(x)),
  whole(3),
  whole.options({ checkValid: "full" })(4),
  optioned(5),
  add.exportOptions({ memory: 2 })(1, double(50)),
]);

const count: AnyTask = task("features.count", async (n: number): Promise<number> => {
  if (n === 0) return 0;
  const before = (await count(n - 1)) as number;
  return before + ((await add(n, 0)) as number);
});
const tries: AnyTask = task("features.tries", async () => {
  const seen: unknown[] = [];
  try {
    await fails("awaited");
  } catch (error) {
    seen.push((error as Error).name, (error as Error).message, error instanceof RangeError);
  }
  const [a, b] = await Promise.all([add(1, 1), pair(2)]);
  return [...seen, a, b, await lazily(true, add(9, 9), null), await applyFunc(scale, 7)];
});
export const awaiting: AnyTask = task("features.awaiting", () => [count(4), tries()]);

class Base extends Error {
  readonly level = 1;
}
class Derived extends Base {
  tell(): string {
    return `${this.message} at ${this.level}`;
  }
}
class Narrow extends RangeError {}
const throws: AnyTask = task("features.throws", (kind: string): never => {
  if (kind === "derived") throw new Derived("derived");
  if (kind === "narrow") throw new Narrow("narrow");
  throw kind === "text" ? "just text" : { code: 7 };
});
const asDerived: AnyTask = task("features.as_derived", (error: Derived) => [
  ...[error instanceof Derived, error instanceof Base, error.tell(), error.name],
]);
const throwsLater: AnyTask = task("features.throws_later", async () => {
  const seen: unknown[] = [];
  for (const kind of ["derived", "narrow", "text", "data"]) {
    try {
      await throws(kind);
    } catch (error) {
      const isData = !(error instanceof Error);
      seen.push(
        isData ? error : [error instanceof Base, error instanceof Narrow, error instanceof RangeError],
      );
    }
  }
  return seen;
});
export const failures: AnyTask = task("features.failures", () => [
  catchError(throws("derived"), Base, asDerived),
  catchError(throws("narrow"), RangeError, recovers),
  catchError(throws("narrow"), Base, asDerived, Narrow, recovers),
  throwsLater(),
]);

class Length {
  readonly size: number;
  readonly label: string;
  constructor(size: number, label: string) {
    this.size = size;
    this.label = label;
  }
  get half(): number {
    return this.size / 2;
  }
  show(unit: string): string {
    return `${this.size} ${unit}`;
  }
}
registerValue({
  name: "features.Length",
  is: (value) => value instanceof Length,
  encode: ({ size, label }: Length) => [size, label],
  decode: ([size, label]: [number, string]) => new Length(size, label),
});
class Sample {
  readonly id: string;
  readonly note: string;
  constructor(id: string, note: string) {
    this.id = id;
    this.note = note;
  }
}
registerValue({
  name: "features.Sample",
  is: (value) => value instanceof Sample,
  encode: ({ id, note }: Sample) => [id, note],
  decode: ([id, note]: [string, string]) => new Sample(id, note),
  hash: ({ id }) => id.padStart(40, "0"),
});
class Trouble extends Error {
  override readonly name = "Trouble";
  readonly level: number;
  constructor(message: string, level: number) {
    super(message);
    this.level = level;
  }
}
const make: AnyTask = task("features.make", (kind: string): unknown => {
  switch (kind) {
    case "numbers":
      return [0, -0, 0.1, 1e300, Number.NaN, Number.POSITIVE_INFINITY, -(2n ** 80n), 5e-324];
    case "texts":
      return ["", "ä\u0000\ud83d\ude00", "\ud800", "__proto__", "a'b\"c\\"];
    case "empty":
      return [null, undefined, [], {}, new Map(), new Set(), new Uint8Array()];
    case "keys":
      return JSON.parse('{"b":1,"a":{"__proto__":{"x":1},"$":2,"10":3,"9":4},"constructor":5}');
    case "bytes":
      return [
        new Uint8Array([1, 2]),
        new Float32Array([0.5]),
        new BigInt64Array([-1n]),
        new Uint8Array([3]).buffer,
      ];
    case "containers":
      return [
        new Map<unknown, unknown>([
          [{ k: 1 }, "v"],
          ["k", new Set([2, 1])],
        ]),
        new Date(0),
        new URL("https://example.org/ä?q"),
      ];
    case "custom":
      return [new Length(1, "m"), new Map([["in", new Length(2, "ft")]])];
    case "errors":
      return [new Trouble("deep", 3), new Error("outer", { cause: new TypeError("inner") })];
    default:
      return new Sample("ab", kind);
  }
});
const look: AnyTask = task("features.look", (value: unknown): unknown => {
  const leaves: string[] = [];
  const walk = (part: unknown): unknown => {
    const name = Object.prototype.toString.call(part).slice(8, -1);
    leaves.push(
      part instanceof Length ? `Length ${part.label}` : part instanceof Sample ? `Sample ${part.note}` : name,
    );
    if (Array.isArray(part)) part.forEach(walk);
    else if (part instanceof Map) for (const [key, item] of part) [key, item].forEach(walk);
    return part;
  };
  return [walk(value), leaves];
});
const again: AnyTask = task("features.again", async (value: unknown) => [await look([value]), value]);
export const values: AnyTask = task("features.values", () =>
  ["numbers", "texts", "empty", "keys", "bytes", "containers", "custom", "errors", "sample"].map((kind) => [
    look(make(kind)),
    again(make(kind)),
  ]),
);

export const shell: AnyTask = task("features.shell", () => [
  greet("World"),
  script("printf '%s' a | tr a b"),
  [1, 2].map((n) => script(`printf ${n}`)),
]);
const greet: AnyTask = task(
  { name: "features.greet", script: true },
  (name: string) => `printf 'Hello, %s' '${name}'`,
);

/** Files that are known by their content, since other hashes have the time in them. */
const write: AnyTask = task("features.write", async (path: string, text: string) => {
  const file = new ContentFile(path);
  const stream = file.writable().getWriter();
  await stream.write(text);
  await stream.close();
  return file;
});
const read: AnyTask = task("features.read", async (file: ContentFile) => {
  const lines: string[] = [];
  for await (const line of file.lines()) lines.push(line);
  const part = new TextDecoder().decode(await file.bytes({ offset: 2, length: 4 }));
  return [lines, part, await file.size(), await file.exists(), file.basename(), file.path];
});
const copy: AnyTask = task("features.copy", async (file: ContentFile, path: string) =>
  file.copyTo(new ContentFile(path)),
);
const list: AnyTask = task("features.list", async (folder: ContentDir, _after: unknown) => {
  const names: string[] = [];
  for await (const file of folder) names.push(folder.relPath(file));
  const found = await new ContentFileSet(`${folder.path}/*.txt`).files();
  return [names.sort(), found.map(({ path }) => path).sort(), await folder.dir("none").exists()];
});
const folderOf: AnyTask = task("features.folder_of", (path: string, _after: unknown) => [
  new ContentDir(path),
  new ContentFileSet(`${path}/*.txt`),
]);
const gone: AnyTask = task("features.gone", async () => {
  const file = new ContentFile("out/features/gone.bin");
  try {
    return await file.text();
  } catch (error) {
    return [(error as Error).name, (error as { code?: string }).code, await file.exists()];
  }
});
export const files: AnyTask = task("features.files", () => {
  const first = write("out/features/a.txt", "one\ntwo\n");
  const second = copy(first, "out/features/deep/b.txt");
  const all = folderOf("out/features", [first, second]);
  return [read(first), second, first.text(), all, list(all[0], second), gone()];
});

export const main: Task<[], Expression<unknown>> = task("features.main", () =>
  everything([
    operators(),
    control(),
    functional(),
    scheduled(),
    contexts(),
    options(),
    awaiting(),
    values(),
    shell(),
    files(),
    failures(),
  ]),
);
const everything: AnyTask = task("features.everything", (parts: unknown[]) => parts.length);
