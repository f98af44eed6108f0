import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { makeFolder } from "../package/local-copy.ts";
import { RedunClientError, UsageError } from "./client-error.ts";
import { Config, DEFAULT_DB_URI, postprocessConfig } from "./config.ts";

const FOLDER = ".redun";
export const CONFIG_FILE = "redun.ini";

const DEFAULT_INI = `# Configuration of redun.

[backend]
db_uri = ${DEFAULT_DB_URI}

# Tasks run in the command's own process, or with executor: "process" in others, as many as there are processors.
# An executor of another size, for tasks that name it:
#
# [executors.heavy]
# type = local
# mode = process
# max_workers = 4

# How many jobs may hold a resource at a time, for tasks with limits: ["api"]:
#
# [limits]
# api = 2
`;

/** Where the configuration is, and what named the place. */
export interface ConfigPlace {
  readonly dir: string;
  readonly source: "option" | "environment" | "found" | "default";
}

/** The configuration's folder: `-c`, else `REDUN_CONFIG`, else the nearest `.redun` upwards, else `.redun` here. */
export function findConfigDir(
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>> = process.env,
  cwd: string = process.cwd(),
): ConfigPlace {
  if (option !== undefined) return { dir: resolve(cwd, option), source: "option" };
  if (env.REDUN_CONFIG) return { dir: resolve(cwd, env.REDUN_CONFIG), source: "environment" };
  for (let folder = resolve(cwd); ; folder = dirname(folder)) {
    const dir = join(folder, FOLDER);
    if (existsSync(dir)) return { dir, source: "found" };
    if (dirname(folder) === folder) break;
  }
  return { dir: join(resolve(cwd), FOLDER), source: "default" };
}

/** Reads `redun.ini`, making it with defaults where it is missing, unless its folder was named by `-c`. */
export function openConfig(place: ConfigPlace): Config {
  const file = join(place.dir, CONFIG_FILE);
  if (!existsSync(file)) {
    if (place.source === "option") {
      throw new UsageError(`Cannot use the config dir ${place.dir}: it has no ${CONFIG_FILE}`, {
        hint: `Make it with: redun init -c ${place.dir}`,
      });
    }
    createConfig(place.dir);
  }
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new RedunClientError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  return postprocessConfig(Config.parse(text, file), place.dir);
}

/** Makes the folder and its default `redun.ini`, if they aren't there. */
export function createConfig(dir: string): void {
  const file = join(dir, CONFIG_FILE);
  try {
    makeFolder(dir);
    if (!existsSync(file)) writeFileSync(file, DEFAULT_INI, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    // Another process may have made it at the same time.
    if (code === "EEXIST" && statSync(dir).isDirectory()) return;
    const reasons: Record<string, string> = {
      EACCES: "permission denied",
      EROFS: "the file system is read-only",
      EPERM: "not permitted",
      ENOSPC: "no space left on the device",
      EEXIST: "a file of that name is in the way",
      ENOTDIR: "a part of the path is a file",
    };
    throw new RedunClientError(`Cannot create the config dir ${dir}: ${reasons[code ?? ""] ?? message}`, {
      cause: error,
      hint: "Name another one with -c DIR or the environment variable REDUN_CONFIG.",
    });
  }
}
