import { mkdirSync, readdirSync, rmSync } from "node:fs";
import type { TestProject } from "vitest/node";
import { buildModules } from "../scripts/build.ts";

/**
 * Builds the modules, which tests of the command and of worker processes run, and gives all tests one temporary
 * folder, in which they must leave nothing.
 */
export default async function setup({ config }: TestProject): Promise<() => void> {
  await buildModules(false);
  const folder = config.env.TMPDIR as string;
  mkdirSync(folder, { recursive: true });
  return () => {
    const left = readdirSync(folder);
    rmSync(folder, { recursive: true, force: true });
    if (left.length > 0) throw new Error(`The tests left files behind: ${left.join(", ")}`);
  };
}
