import { join, resolve } from "node:path";
import { type Cli, configPlace } from "../cli.ts";
import { createConfig, openConfig } from "../config-dir.ts";
import { openStore } from "../store.ts";

/** `redun init [DIR]` */
export async function init(cli: Cli, words: string[]): Promise<void> {
  const [parent] = words;
  const place = configPlace(cli);
  const named = place.source === "option" || place.source === "environment";
  const dir = named && parent === undefined ? place.dir : join(resolve(parent ?? "."), ".redun");
  createConfig(dir);
  const store = await openStore(openConfig({ dir, source: "default" }), { migrate: true });
  await store.close();
  cli.output.print(`Initialized redun repository: ${dir}`);
}
