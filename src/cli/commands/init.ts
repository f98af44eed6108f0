import { join, resolve } from "node:path";
import { type Cli, configPlace } from "../cli.ts";
import { createConfig, findConfigDir, openConfig } from "../config-dir.ts";
import { openStore } from "../store.ts";

/** `redun init [DIR]` */
export async function init(cli: Cli, words: string[], given: Record<string, unknown>): Promise<void> {
  const [parent] = words;
  const { config } = given as { config?: string };
  const place = config === undefined ? configPlace(cli) : findConfigDir(config);
  const named = place.source === "option" || place.source === "environment";
  const dir = named && parent === undefined ? place.dir : join(resolve(parent ?? "."), ".redun");
  createConfig(dir);
  const store = await openStore(openConfig({ dir, source: "default" }), { migrate: true });
  await store.close();
  cli.output.print(`Initialized redun repository: ${dir}`);
}
