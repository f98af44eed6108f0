import { join, resolve } from "node:path";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { findConfigDir, openConfig } from "./config-dir.ts";
import { openScheduler } from "./open-scheduler.ts";

/**
 * Opens a repository as the command line does, making it where there is none.
 *
 * @param dir - the folder that holds `.redun`; by default the nearest one upwards that does, or the working directory
 */
export function openRepository(dir?: string): Promise<Scheduler> {
  const place =
    dir === undefined
      ? findConfigDir(undefined)
      : { dir: join(resolve(dir), ".redun"), source: "default" as const };
  return openScheduler(openConfig(place), place.dir);
}
