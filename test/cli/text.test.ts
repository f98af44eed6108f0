import { describe, expect, test } from "vitest";
import { closest, suggestion } from "../../src/cli/client-error.ts";
import { inspectValue, jsonValue } from "../../src/cli/inspect.ts";
import { progressText } from "../../src/cli/progress.ts";
import { statusTable } from "../../src/cli/status-table.ts";
import { formatTag, formatTags, formatTagValue, parseTag, parseTagValue } from "../../src/cli/tag-text.ts";
import {
  commandLine,
  duration,
  localTime,
  shellQuote,
  shortId,
  statusText,
  terminalText,
} from "../../src/cli/text.ts";
import { compareVersions, satisfies } from "../../src/cli/version.ts";
import { File } from "../../src/file/file.ts";
import { dedent } from "../../src/util/dedent.ts";
import { optionName } from "../../src/util/option-name.ts";

const counts = (part: object) => ({ PENDING: 0, RUNNING: 0, FAILED: 0, CACHED: 0, DONE: 0, ...part });

describe("The status table", () => {
  test("has a row of sums and a row for each task by name, with columns of at least seven", () => {
    const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
    const rows = new Map([
      ["b.task", counts({ DONE: 2, CACHED: 1 })],
      ["a.long_name", counts({ RUNNING: 12345678 })],
    ]);
    expect(statusTable(rows, time)).toEqual([
      "| JOB STATUS 2026/01/02 03:04:05",
      "| TASK        PENDING  RUNNING  FAILED  CACHED    DONE    TOTAL",
      "| ",
      "| ALL               0 12345678       0       1       2 12345681",
      "| a.long_name       0 12345678       0       0       0 12345678",
      "| b.task            0        0       0       1       2        3",
      "",
    ]);
  });

  test("of an execution without jobs has only the row of sums", () => {
    expect(statusTable(new Map(), 0).slice(1)).toEqual([
      "| TASK    PENDING RUNNING  FAILED  CACHED    DONE   TOTAL",
      "| ",
      "| ALL           0       0       0       0       0       0",
      "",
    ]);
  });
});

describe("The progress", () => {
  test("shows sums, the elapsed time and the busiest tasks", () => {
    const rows = new Map([
      ["a", counts({ RUNNING: 1, DONE: 3 })],
      ["b", counts({ RUNNING: 2, PENDING: 5 })],
      ["c", counts({ CACHED: 1500 })],
    ]);
    expect(progressText(rows, 62_000, "*", 80)).toEqual([
      "* 0:01:02  1,503 of 1,511 jobs  3 running  5 pending  1,500 cached  3 done",
      "    b  2 running  5 pending",
      "    a  1 running  3 done",
    ]);
  });

  test("names only a few of many tasks", () => {
    const rows = new Map(Array.from({ length: 9 }, (_, i) => [`t${i}`, counts({ RUNNING: 1 })]));
    const lines = progressText(rows, 0, "*", 80);
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe("    and 3 more tasks");
  });
});

describe("Tags as text", () => {
  test("a value is JSON, a number, a keyword or the text itself", () => {
    expect(
      ["", "10", "-1.5", "1.2e3", "true", "null", "10a", " ", '"10"', '{"a": [1]}'].map(parseTagValue),
    ).toEqual([null, 10, -1.5, 1200, true, null, "10a", " ", "10", { a: [1] }]);
    expect(() => parseTagValue("[1")).toThrow("Invalid JSON");
  });

  test("a key ends at the first equals sign", () => {
    expect(parseTag("a=b=c")).toEqual({ key: "a", value: "b=c" });
    expect(parseTag("a=")).toEqual({ key: "a", value: null });
    expect(parseTag("a", false)).toEqual({ key: "a" });
    expect(() => parseTag("a")).toThrow("expected key=value");
    expect(() => parseTag("=a")).toThrow("the key is empty");
  });

  test("a value's text parses back to it", () => {
    const values = [
      "plain",
      "two words",
      "a,b",
      "true",
      "10",
      "[",
      "",
      null,
      1.5,
      false,
      [1, "ä"],
      { b: 1, a: [] },
    ];
    for (const value of values) expect(parseTagValue(formatTagValue(value))).toEqual(value);
    expect(formatTagValue("true")).toBe('"true"');
    expect(formatTagValue({ b: 1, a: 2 })).toBe('{"a":2,"b":1}');
  });

  test("are cut and sorted for display", () => {
    expect(formatTag({ key: "k".repeat(60), value: "v" })).toBe(`${"k".repeat(47)}...=v`);
    expect(
      formatTags([
        { key: "b", value: 1 },
        { key: "a", value: "x" },
        { key: "a", value: 2 },
      ]),
    ).toBe("(a=2, a=x, b=1)");
    expect(formatTags([])).toBe("");
  });
});

describe("Short texts", () => {
  test("a status is centred in six characters", () => {
    expect((["DONE", "RUNNING", "CACHED", "FAILED"] as const).map(statusText)).toEqual([
      "[ DONE ]",
      "[ RUN  ]",
      "[CACHED]",
      "[FAILED]",
    ]);
  });

  test("times are local", () => {
    expect(localTime(new Date(2021, 5, 7, 8, 9, 1).getTime())).toBe("2021-06-07 08:09:01");
  });

  test("a duration keeps its days as hours", () => {
    expect([0, 1234, 61_000, 90_061_230].map(duration)).toEqual([
      "0:00:00.00",
      "0:00:01.23",
      "0:01:01.00",
      "25:01:01.23",
    ]);
  });

  test("a time-ordered id is called by its end, any other by its beginning", () => {
    expect(shortId("0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000")).toBe("ffff0000");
    expect(shortId("12345678-bbbb-4ccc-8ddd-eeeeffff0000")).toBe("12345678");
    expect(shortId("abcdef0123456789")).toBe("abcdef01");
  });

  test("a command line is quoted for a shell", () => {
    expect(commandLine(["redun", "run", "a b.ts", "main", "--x=1", "it's"])).toBe(
      `run 'a b.ts' main --x=1 'it'"'"'s'`,
    );
    expect(shellQuote("")).toBe("''");
  });

  test("a function inside a call loses the indentation of the call", () => {
    expect(dedent("() => {\n      a;\n        b;\n    }")).toBe("() => {\n  a;\n    b;\n}");
    expect(dedent("def f(n):\n    return n")).toBe("def f(n):\n    return n");
  });

  test("an option is the parameter in lower case with dashes", () => {
    expect(["maxDepth", "my_param", "x", "useHTTPProxy", "n2"].map(optionName)).toEqual([
      "max-depth",
      "my-param",
      "x",
      "use-http-proxy",
      "n2",
    ]);
  });
});

describe("Versions", () => {
  test("compare number by number, a shorter one first", () => {
    expect(compareVersions("1.10", "1.9")).toBe(1);
    expect(compareVersions("1", "1.0")).toBe(-1);
    expect(compareVersions("2.0.1", "2.0.1")).toBe(0);
    expect(() => compareVersions("1.x", "1.0")).toThrow("must be a number");
  });

  test("satisfy a specification if all of its parts hold", () => {
    expect(satisfies("0.4.2", ">=0.4.1,<1")).toBe(true);
    expect(satisfies("0.4.2", ">0.4.2")).toBe(false);
    expect(satisfies("0.4.2", "0.4.2")).toBe(true);
    expect(satisfies("0.4.2", "==0.4.3")).toBe(false);
  });
});

describe("Suggestions", () => {
  test("name what is meant most likely", () => {
    expect(closest("mian", ["a.main", "b.other"])).toEqual(["a.main"]);
    expect(closest("helo.ts", ["hello.ts", "bad.ts"])).toEqual(["hello.ts"]);
    expect(suggestion("zzz", ["a", "b"], "Tasks")).toBe("Tasks: a, b.");
    expect(suggestion("zzz", [], "Tasks")).toBeUndefined();
  });
});

describe("Values for people and programs", () => {
  const value = {
    file: new File("a.txt"),
    list: [1n, Number.NaN, new Date(0)],
    map: new Map<string, unknown>([["k", new Set([undefined, "x"])]]),
  };

  test("are shown whole, in the style of literals", () => {
    expect(inspectValue("Hello, World!")).toBe("'Hello, World!'");
    expect(inspectValue([1, 2])).toBe("[ 1, 2 ]");
    expect(inspectValue(value)).toContain("file: File('a.txt')");
    expect(inspectValue(Array.from({ length: 500 }, (_, i) => i))).toContain("499");
  });

  test("are plain JSON with --format json", () => {
    expect(jsonValue(value)).toEqual({
      file: "a.txt",
      list: [1, "NaN", "1970-01-01T00:00:00.000Z"],
      map: { k: [null, "x"] },
    });
  });

  test("as deep as memory allows are shown in part", () => {
    let deep: unknown[] = [];
    for (let i = 0; i < 100_000; i++) deep = [deep];
    expect(inspectValue(deep)).toContain("[");
  });
});

test("Text for a terminal has colours, and nothing else that a terminal obeys", () => {
  const kept = "\u001b[1;31mred\u001b[39m and\ttabs\nüñ∑ 😀";
  expect(terminalText(kept)).toBe(kept);
  expect(terminalText("\u001b]0;title\u0007\u001b[2J\u001b[8A\u009b1m\u0000\b\u007f")).toBe(
    "\\x1b]0;title\\x07\\x1b[2J\\x1b[8A\\x9b1m\\x00\\x08\\x7f",
  );
  expect(terminalText("one\r\ntwo\r\n")).toBe("one\ntwo\n");
  expect(terminalText("10%\r50%\r100%\nhid\rshown\r")).toBe("100%\nshown");
});
