import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Executor } from "../executor/executor.ts";
import { InProcessExecutor } from "../executor/in-process-executor.ts";
import { AliasExecutor } from "../executors/alias-executor.ts";
import { ProcessExecutor, type ProcessExecutorOptions } from "../executors/process-executor.ts";
import { runScript } from "../executors/script-runner.ts";
import { packageFile } from "../package/load.ts";
import { RedunClientError } from "./client-error.ts";
import type { Config } from "./config.ts";

/**
 * The executors of a configuration: `default` in this process and `process` in others, unless `[executors.NAME]`
 * sections say otherwise.
 *
 * @param dir - the configuration's folder, where local copies of code packages are
 * @throws RedunClientError if a section is of an unknown type or malformed
 */
export function makeExecutors(config: Config, dir: string): Executor[] {
  const executors = new Map<string, Executor>();
  const add = (executor: Executor): void => void executors.set(executor.name, executor);
  const shared: ProcessExecutorOptions = { packagePath: (hash) => packageFile(dir, hash) };
  add(new InProcessExecutor({ runScript }));
  add(new ProcessExecutor(shared));
  for (const section of config.sections()) {
    const name = /^executors\.(\w[\w-]*)$/.exec(section)?.[1];
    if (name === undefined) continue;
    const type = config.get(section, "type") ?? "local";
    if (type === "local") {
      const mode = config.get(section, "mode") ?? "inline";
      // A function of the default executor runs in the scheduler's own thread, where it may await expressions.
      if (name === "default" && (mode === "thread" || mode === "inline")) continue;
      add(localExecutor(section, name, mode, config, dir, shared));
    } else if (type === "alias") {
      const target = config.get(section, "target");
      if (target === undefined) throw new RedunClientError(`Cannot use [${section}]: it has no target`);
      add(new AliasExecutor(name, target, executors));
    } else {
      throw new RedunClientError(`Cannot use [${section}]: the executor type ${type} is not known`, {
        hint: "Known types: local, alias.",
      });
    }
  }
  return [...executors.values()];
}

function localExecutor(
  section: string,
  name: string,
  mode: string,
  config: Config,
  dir: string,
  shared: ProcessExecutorOptions,
): Executor {
  if (mode === "inline") return new InProcessExecutor({ name, runScript });
  if (!/^(thread|process)(s|es)?$/.test(mode)) {
    throw new RedunClientError(
      `Cannot use [${section}]: mode must be inline, thread or process, not ${mode}`,
    );
  }
  const workers = config.get(section, "max_workers");
  if (workers !== undefined && !/^[1-9]\d*$/.test(workers)) {
    throw new RedunClientError(
      `Cannot use [${section}]: max_workers must be a positive whole number, not ${workers}`,
    );
  }
  const modules = (config.get(section, "modules") ?? "").split(/\s+/).filter((word) => word !== "");
  return new ProcessExecutor({
    ...shared,
    name,
    mode: mode.startsWith("thread") ? "thread" : "process",
    ...(workers === undefined ? {} : { maxWorkers: Number(workers) }),
    modules: modules.map((path) => pathToFileURL(isAbsolute(path) ? path : resolve(dir, path)).href),
  });
}
