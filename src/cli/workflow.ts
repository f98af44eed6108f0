import { existsSync, readdirSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, extname, join, resolve } from "node:path";
import { RedunError } from "../errors/redun-error.ts";
import { type BuiltWorkflow, loadWorkflow } from "../package/build-cache.ts";
import type { PackageTask } from "../package/types.ts";
import type { Task } from "../task/task.ts";
import { suggestion, UsageError } from "./client-error.ts";
import type { Output } from "./output.ts";
import { Exit } from "./report.ts";
import { version } from "./version.ts";

const EXTENSIONS = [".ts", ".mts", ".js", ".mjs"];

/** The file that SCRIPT names: a path, or a module of an npm package. @returns an absolute path */
export function findScript(script: string, cwd: string = process.cwd()): string {
  const path = resolve(cwd, script);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isFile()) {
    if (EXTENSIONS.includes(extname(path)) || extname(path) === ".tsx") return path;
    throw new UsageError(`Cannot run ${script}: a workflow is a .ts, .js or .mjs file`);
  }
  if (stat?.isDirectory()) {
    const files = workflowFiles(path).map((name) => join(script, name));
    throw new UsageError(`Cannot run ${script}: it is a folder`, {
      hint: suggestion(script, files, "Files in it"),
    });
  }
  for (const extension of EXTENSIONS) if (existsSync(path + extension)) return path + extension;
  if (!script.startsWith(".") && !extname(script)) {
    try {
      return createRequire(join(cwd, "workflow.js")).resolve(script);
    } catch {
      // No package of that name is installed.
    }
  }
  const folder = dirname(path);
  const prefix = dirname(script) === "." ? "" : `${dirname(script)}/`;
  const names = workflowFiles(folder).map((name) => prefix + name);
  throw new UsageError(`Cannot find the workflow ${script}: no such file`, {
    hint: suggestion(prefix + basename(script), names, "Workflows there"),
  });
}

function workflowFiles(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => EXTENSIONS.includes(extname(name)));
  } catch {
    return [];
  }
}

/** A workflow ready to run. */
export interface Workflow extends BuiltWorkflow {
  readonly script: string;
  /** Its tasks in the order in which it defines them, each as its definition is now. */
  readonly tasks: readonly { readonly task: Task; readonly described: PackageTask }[];
}

/** Builds and imports a workflow file. Errors in it are told with their place. */
export async function openWorkflow(script: string, dir: string, output: Output): Promise<Workflow> {
  const path = findScript(script);
  let built: BuiltWorkflow;
  try {
    built = await loadWorkflow(path, { dir, version: version() });
  } catch (error) {
    if (error instanceof RedunError || isSystemError(error)) throw error;
    reportScriptError(script, error, output);
    throw new Exit(1);
  }
  for (const warning of built.warnings) output.log(`Warning: ${warning}`, "WARN");
  return workflowOf(script, built);
}

/** A loaded package as a workflow. */
export function workflowOf(script: string, built: BuiltWorkflow): Workflow {
  const described = new Map(built.package.manifest.tasks.map((task) => [task.fullname, task]));
  const tasks = built.package.tasks
    .filter(({ fullname }) => !fullname.startsWith("redun."))
    .map((task) => ({ task, described: described.get(task.fullname) ?? describe(task) }));
  return { ...built, script, tasks };
}

/** An error of the operating system outside of the workflow's own code. */
function isSystemError(error: unknown): boolean {
  const { path = "", syscall } = error as NodeJS.ErrnoException;
  return syscall !== undefined && path.includes(".redun");
}

/** The frames of an error's stack that are the user's own. */
export function errorFrames(error: unknown): string[] {
  const { stack } = (error ?? {}) as { stack?: unknown };
  if (typeof stack !== "string") return [];
  return stack
    .split("\n")
    .filter((line) => /^\s+at /.test(line) && !/node:|ext:|\/src\/(package|cli|task)\/|\/dist\//.test(line))
    .map((line) => line.trim())
    .slice(0, 10);
}

/** Tells about an error that the workflow's own code threw while it was imported. */
function reportScriptError(script: string, error: unknown, output: Output): void {
  output.log(`Cannot load ${script}:`, "ERROR");
  output.log(error instanceof Error ? `${error.name}: ${error.message}` : String(error), "ERROR");
  for (const frame of errorFrames(error)) output.log(`    ${frame}`, "ERROR");
}

/** What is known of a task whose name only its code knows. */
function describe({ fullname, name, namespace, hash, source, definition }: Task): PackageTask {
  return {
    fullname,
    name,
    namespace,
    hash,
    source,
    canonical: "",
    file: definition.location?.file ?? "",
    line: definition.location?.line ?? 0,
    parameters: definition.parameters.map((parameter) => ({
      name: parameter,
      type: { kind: "json", text: "unknown" },
      optional: true,
    })),
    async: definition.async,
  };
}

/** Finds a task by its fullname, or by its name in the workflow's namespace. @throws UsageError if there is none */
export function findTask(workflow: Workflow, name: string): Workflow["tasks"][number] {
  const { namespace } = workflow.package.manifest;
  const fullname = name.includes(".") || !namespace ? name : `${namespace}.${name}`;
  const found =
    workflow.tasks.find(({ task }) => task.fullname === fullname) ??
    onlyOne(workflow.tasks.filter(({ task }) => !name.includes(".") && task.name === name));
  if (found !== undefined) return found;
  const names = workflow.tasks.map(({ task }) => task.fullname);
  const hint = names.length === 0 ? "Define one with task()." : suggestion(name, names, "Its tasks");
  throw new UsageError(`Cannot find the task ${fullname} in ${workflow.script}`, { hint });
}

function onlyOne<T>(items: readonly T[]): T | undefined {
  return items.length === 1 ? items[0] : undefined;
}
