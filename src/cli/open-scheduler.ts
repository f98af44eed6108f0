import { Scheduler } from "../scheduler/scheduler.ts";
import { type Config, schedulerSettings } from "./config.ts";
import { configContext } from "./context.ts";
import { makeExecutors } from "./executors.ts";
import { registerFileSystems } from "./runtime.ts";
import { openStore } from "./store.ts";

/** A scheduler with the store, executors, limits and context of a configuration. Its store is open. */
export async function openScheduler(
  config: Config,
  dir: string,
  setup: readonly string[] = [],
): Promise<Scheduler> {
  registerFileSystems();
  const settings = schedulerSettings(config);
  if (settings.setup !== undefined || setup.length > 0) {
    const { setupScheduler } = await import("./setup.ts");
    const scheduler = await setupScheduler(config, dir, setup);
    if (scheduler !== undefined) return scheduler;
  }
  const backend = await openStore(config, { migrate: true });
  return new Scheduler({
    backend,
    executors: makeExecutors(config, dir),
    limits: settings.limits,
    context: configContext(settings),
    config: { ignoreWarnings: settings.ignoreWarnings },
  });
}
