import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  absoluteDbUri,
  Config,
  parseContext,
  postprocessConfig,
  schedulerSettings,
  sqlitePath,
} from "../../src/cli/config.ts";
import { findConfigDir, openConfig } from "../../src/cli/config-dir.ts";
import { makeExecutors } from "../../src/cli/executors.ts";

const root = mkdtempSync(join(tmpdir(), "redun-config-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe("redun.ini", () => {
  test("has sections that nest by their dots, and keys in their own case", () => {
    const config = Config.parse(
      "[executors.batch]\ntype = aws_batch\nImage = x\n[executors.batch.extra]\na = 1\n",
    );
    expect(config.tree()).toEqual({
      executors: { batch: { type: "aws_batch", Image: "x", extra: { a: "1" } } },
    });
    expect(config.get("executors.batch", "image")).toBeUndefined();
    expect(config.below("executors")).toEqual(["batch", "batch.extra"]);
  });

  test("keeps values as text, with what other formats take for comments", () => {
    const config = Config.parse(
      `[a]\n# comment\n; comment\nurl = http://x/y#z;w\nquoted = "a b"\nflag = true\nback = C:\\\\dir\nempty =\neq = a=b\n`,
    );
    expect(config.section("a")).toEqual({
      url: "http://x/y#z;w",
      quoted: "a b",
      flag: "true",
      back: "C:\\\\dir",
      empty: "",
      eq: "a=b",
    });
  });

  test("continues a value on lines that are indented more than its key", () => {
    const config = Config.parse(
      '[scheduler]\n  context = {\n    "a": {"b": 5}\n    }\n  ignore_warnings = x\n    y\n',
    );
    expect(schedulerSettings(config)).toMatchObject({ context: { a: { b: 5 } }, ignoreWarnings: ["x", "y"] });
  });

  test("says which line is no setting", () => {
    expect(() => Config.parse("[a]\nx = 1\nnonsense\n", "redun.ini")).toThrow(
      "Cannot read redun.ini: line 3 is not `key = value`: nonsense",
    );
  });

  test("comes from a dictionary and gives it back", () => {
    const dict = { backend: { db_uri: "sqlite:////p/redun.db" }, "executors.a": { type: "local" } };
    const config = Config.fromDict(dict);
    expect(config.toDict()).toEqual(dict);
    expect(config.toDict("/p", ".").backend).toEqual({ db_uri: "sqlite:///./redun.db" });
  });
});

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the variables of a configuration
describe("A variable in a value", () => {
  const config = Config.parse(
    [
      "[DEFAULT]",
      "home = default",
      "only = ${ENV}",
      "[a]",
      "home = own",
      "x = ${home} ${only} ${ENV} $$5",
      "y = ${b:z}!",
      "bad = ${nothing}",
      "loop = ${loop}",
      "[b]",
      "z = ${home}",
    ].join("\n"),
    "redun.ini",
    { ENV: "env", home: "environment" },
  );

  test("is looked up in its section, then DEFAULT, then the environment", () => {
    expect(config.get("a", "x")).toBe("own env env $5");
    expect(config.get("b", "z")).toBe("default");
  });

  test("may name another section", () => {
    expect(config.get("a", "y")).toBe("default!");
  });

  test("that is unknown or refers to itself is an error", () => {
    expect(() => config.get("a", "bad")).toThrow("${nothing} in a:bad is not defined");
    expect(() => config.get("a", "loop")).toThrow("${loop} refers to itself");
  });
});

// biome-ignore-end lint/suspicious/noTemplateCurlyInString: the variables of a configuration

describe("The store's address", () => {
  test("is relative to the config dir unless it is absolute", () => {
    expect(absoluteDbUri("sqlite:///redun.db", "/p/.redun")).toBe("sqlite:////p/.redun/redun.db");
    expect(absoluteDbUri(undefined, "/p/.redun")).toBe("sqlite:////p/.redun/redun.db");
    expect(absoluteDbUri("sqlite:///.redun/redun.db", "/p/.redun")).toBe("sqlite:////p/.redun/redun.db");
    expect(absoluteDbUri("sqlite:////abs/redun.db", "/p/.redun")).toBe("sqlite:////abs/redun.db");
    expect(absoluteDbUri("sqlite://host/redun.db", "/p/.redun")).toBe("sqlite://host/redun.db");
    expect(absoluteDbUri("postgresql://host/db", "/p/.redun")).toBe("postgresql://host/db");
  });

  test("names a file, or none", () => {
    expect(sqlitePath("sqlite:////p/redun.db")).toBe("/p/redun.db");
    expect(sqlitePath("sqlite:///:memory:")).toBe(":memory:");
    expect(sqlitePath("postgresql://host/db")).toBeUndefined();
  });

  test("is filled in with the other places, which can be done twice", () => {
    const once = postprocessConfig(Config.parse("[scheduler]\ncontext_file = c.json\n"), "/p/.redun");
    expect(once.toDict()).toEqual({
      scheduler: { context_file: "/p/.redun/c.json" },
      backend: { db_uri: "sqlite:////p/.redun/redun.db", config_dir: "/p/.redun" },
      "repos.default": { config_dir: "/p/.redun" },
    });
    expect(postprocessConfig(once, "/p/.redun").toDict()).toEqual(once.toDict());
  });
});

describe("The scheduler's settings", () => {
  test("have defaults, and limits are numbers", () => {
    const settings = schedulerSettings(
      Config.parse("[limits]\napi = 3\n[scheduler]\njob_status_interval = -1\n"),
    );
    expect(settings).toMatchObject({
      limits: { api: 3 },
      statusInterval: 0,
      ignoreWarnings: [],
      context: {},
    });
    expect(schedulerSettings(Config.parse("")).statusInterval).toBe(20);
  });

  test("that can't be right are errors", () => {
    expect(() => schedulerSettings(Config.parse("[limits]\napi = many\n"))).toThrow(
      "api in [limits] must be a whole number, not many",
    );
    expect(() => parseContext("[1]", "context")).toThrow("not a JSON object");
    expect(() => parseContext("{", "context")).toThrow("not JSON");
  });
});

describe("The config dir", () => {
  test("is named by option, by environment, by the nearest .redun, or is .redun here", () => {
    mkdirSync(join(root, "a/.redun"), { recursive: true });
    mkdirSync(join(root, "a/b/c"), { recursive: true });
    const cwd = join(root, "a/b/c");
    expect(findConfigDir("x", { REDUN_CONFIG: "/env" }, cwd)).toEqual({
      dir: join(cwd, "x"),
      source: "option",
    });
    expect(findConfigDir(undefined, { REDUN_CONFIG: "/env" }, cwd)).toEqual({
      dir: "/env",
      source: "environment",
    });
    expect(findConfigDir(undefined, {}, cwd)).toEqual({ dir: join(root, "a/.redun"), source: "found" });
    const nowhere = "/no-such-folder/sub";
    expect(findConfigDir(undefined, {}, nowhere)).toEqual({
      dir: join(nowhere, ".redun"),
      source: "default",
    });
  });

  test("gets a default redun.ini, unless an option named it", () => {
    const dir = join(root, "new/.redun");
    expect(() => openConfig({ dir, source: "option" })).toThrow("it has no redun.ini");
    expect(existsSync(dir)).toBe(false);
    const config = openConfig({ dir, source: "environment" });
    expect(config.get("backend", "db_uri")).toContain("redun.db");
    // What it proposes works when the marks of comments are taken away.
    const text = readFileSync(join(dir, "redun.ini"), "utf8");
    writeFileSync(join(dir, "redun.ini"), text.replace(/^# (?=\[|\w+ = )/gm, ""));
    const used = openConfig({ dir, source: "found" });
    expect(used.sections()).toEqual(expect.arrayContaining(["executors.heavy", "limits"]));
    expect(makeExecutors(used, dir).map(({ name }) => name)).toContain("heavy");
  });

  test("keeps a redun.ini that is there", () => {
    const dir = join(root, "kept");
    mkdirSync(dir);
    writeFileSync(join(dir, "redun.ini"), "[tags]\na = b\n");
    expect(openConfig({ dir, source: "option" }).section("tags")).toEqual({ a: "b" });
  });
});
