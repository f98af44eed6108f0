import { isAbsolute, join, resolve } from "node:path";
import type { Json } from "../value/json.ts";
import { RedunClientError } from "./client-error.ts";
import { type Dict, parseIni } from "./ini-text.ts";

export const DEFAULT_DB_URI = "sqlite:///redun.db";
/** What early versions wrote; it means the same file. */
const OLD_DEFAULT_DB_URI = "sqlite:///.redun/redun.db";

export type ConfigTree = { readonly [key: string]: string | ConfigTree };

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Settings by section and key, as `redun.ini` gives them. `${name}` in a value stands for a value of the same
 * section, else of `[DEFAULT]`, else of the environment; `${section:name}` for one of another section; `$$` for `$`.
 */
export class Config {
  private readonly dict: Dict;
  private readonly env: Environment;

  private constructor(dict: Dict, env: Environment) {
    this.dict = dict;
    this.env = env;
  }

  static parse(text: string, file = "redun.ini", env: Environment = process.env): Config {
    return new Config(parseIni(text, file), env);
  }

  static fromDict(
    dict: Readonly<Record<string, Readonly<Record<string, string>>>>,
    env: Environment = process.env,
  ): Config {
    const copy = Object.entries(dict).map(([name, section]) => [name, { ...section }] as const);
    return new Config(Object.fromEntries(copy), env);
  }

  /** All values with variables filled in. With `configDir`, that path inside values is replaced by the second one. */
  toDict(configDir?: string, replacement = ""): Dict {
    const replace = (text: string): string => (configDir ? text.replaceAll(configDir, replacement) : text);
    return Object.fromEntries(
      this.sections().map((name) => [
        name,
        Object.fromEntries(Object.keys(this.dict[name]!).map((key) => [key, replace(this.get(name, key)!)])),
      ]),
    );
  }

  /** Sections nested by the dots of their names. */
  tree(): ConfigTree {
    const root: Record<string, unknown> = {};
    for (const [name, section] of Object.entries(this.toDict())) {
      let node = root;
      for (const part of name.split(".")) {
        node[part] ??= {};
        node = node[part] as Record<string, unknown>;
      }
      Object.assign(node, section);
    }
    return root as ConfigTree;
  }

  sections(): string[] {
    return Object.keys(this.dict).filter((name) => name !== "DEFAULT");
  }

  has(section: string): boolean {
    return Object.hasOwn(this.dict, section);
  }

  /** The section's own values. */
  section(name: string): Record<string, string> {
    return Object.fromEntries(Object.keys(this.dict[name] ?? {}).map((key) => [key, this.get(name, key)!]));
  }

  /** Names of the sections directly below one: `executors` has `batch` if there is `[executors.batch]`. */
  below(parent: string): string[] {
    return this.sections()
      .filter((name) => name.startsWith(`${parent}.`))
      .map((name) => name.slice(parent.length + 1));
  }

  /** @throws RedunClientError if a variable in the value is unknown */
  get(section: string, key: string): string | undefined {
    const raw = this.raw(section, key);
    return raw === undefined ? undefined : this.interpolate(raw, section, [`${section}:${key}`]);
  }

  /** A copy with values added or replaced. */
  with(changes: Dict): Config {
    const dict: Dict = { ...this.dict };
    for (const [name, section] of Object.entries(changes)) dict[name] = { ...dict[name], ...section };
    return new Config(dict, this.env);
  }

  private raw(section: string, key: string): string | undefined {
    for (const name of [section, "DEFAULT"]) {
      const values = this.dict[name];
      if (values !== undefined && Object.hasOwn(values, key)) return values[key];
    }
    return undefined;
  }

  private interpolate(text: string, section: string, path: readonly string[]): string {
    return text.replace(/\$\$|\$\{([^}]*)\}/g, (whole, reference: string | undefined) => {
      if (reference === undefined) return whole[0]!;
      const split = reference.indexOf(":");
      const [from, name] =
        split < 0 ? [section, reference] : [reference.slice(0, split), reference.slice(split + 1)];
      const id = `${from}:${name}`;
      if (path.includes(id)) {
        throw new RedunClientError(`Cannot read the configuration: \${${reference}} refers to itself`);
      }
      const raw = this.raw(from, name);
      if (raw !== undefined) return this.interpolate(raw, from, [...path, id]);
      const value = split < 0 ? this.env[name] : undefined;
      if (value !== undefined) return value;
      throw new RedunClientError(
        `Cannot read the configuration: \${${reference}} in ${path[0]} is not defined`,
        {
          hint: `Define ${name} in the same section, in [DEFAULT] or in the environment.`,
        },
      );
    });
  }
}

/** Fills in what follows from the place of the configuration. Doing so twice changes nothing more. */
export function postprocessConfig(config: Config, dir: string): Config {
  const contextFile = config.get("scheduler", "context_file");
  return config.with({
    "repos.default": { config_dir: dir },
    backend: { db_uri: absoluteDbUri(config.get("backend", "db_uri"), dir), config_dir: dir },
    scheduler: contextFile === undefined ? {} : { context_file: resolve(dir, contextFile) },
  });
}

/** A store's address with the path of a local file made absolute. */
export function absoluteDbUri(uri: string | undefined, dir: string): string {
  const given = uri === undefined || uri === "" || uri === OLD_DEFAULT_DB_URI ? DEFAULT_DB_URI : uri;
  const relative = /^sqlite:\/\/\/(?!\/)(.*)$/.exec(given)?.[1];
  if (relative === undefined || relative === "" || relative === ":memory:" || isAbsolute(relative))
    return given;
  return `sqlite:///${join(dir, relative)}`;
}

/** The path of the file that a SQLite address names, or `:memory:`; `undefined` for any other store. */
export function sqlitePath(uri: string): string | undefined {
  const path = /^sqlite:\/\/\/(.*)$/.exec(uri)?.[1];
  if (path !== undefined) return path === "" ? ":memory:" : path;
  return uri === "sqlite://" ? ":memory:" : undefined;
}

/** Settings of the scheduler that are more than text. */
export interface SchedulerSettings {
  /** Seconds; 0 for never. */
  readonly statusInterval: number;
  readonly ignoreWarnings: readonly string[];
  readonly setup: string | undefined;
  readonly limits: Readonly<Record<string, number>>;
  readonly context: Readonly<Record<string, Json>>;
  readonly contextFile: string | undefined;
}

export function schedulerSettings(config: Config): SchedulerSettings {
  const number = (section: string, key: string): number | undefined => {
    const text = config.get(section, key);
    if (text === undefined) return undefined;
    if (!/^-?\d+$/.test(text.trim())) {
      throw new RedunClientError(
        `Cannot read the configuration: ${key} in [${section}] must be a whole number, not ${text}`,
      );
    }
    return Number(text);
  };
  const limits = Object.keys(config.section("limits")).map(
    (name) => [name, number("limits", name)!] as const,
  );
  return {
    statusInterval: Math.max(0, number("scheduler", "job_status_interval") ?? 20),
    ignoreWarnings: (config.get("scheduler", "ignore_warnings") ?? "").split(/\s+/).filter(Boolean),
    setup: config.get("scheduler", "setup_scheduler"),
    limits: Object.fromEntries(limits),
    context: parseContext(config.get("scheduler", "context"), "context in [scheduler]"),
    contextFile: config.get("scheduler", "context_file"),
  };
}

/** A context's JSON text. */
export function parseContext(text: string | undefined, what: string): Record<string, Json> {
  if (text === undefined || text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new RedunClientError(`Cannot read ${what}: it is not JSON (${(error as Error).message})`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new RedunClientError(`Cannot read ${what}: it is not a JSON object`);
  }
  return value as Record<string, Json>;
}
