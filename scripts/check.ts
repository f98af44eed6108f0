/** Runs every check of the project in turn, and fails at the end if one did. */
import { spawnSync } from "node:child_process";

const steps: readonly (readonly [name: string, command: string])[] = [
  ["format and lint", "biome ci --error-on-warnings"],
  ["types of the core", "tsc -p tsconfig.core.json"],
  ["types of everything", "tsc -p tsconfig.json"],
  ["types of the examples", "tsc -p examples"],
  ["types of the app", "tsc -p web"],
  ["types of the app's service worker", "tsc -p web/tsconfig.sw.json"],
  ["layers", "node scripts/check-layers.ts"],
  ["build", "node scripts/build.ts"],
  ["build of the app", "node scripts/build-web.ts"],
  ["exports", "node scripts/check-exports.ts"],
  ["examples in the documentation", "node scripts/check-docs.ts"],
  ...(process.argv.includes("--no-tests") ? [] : ([["tests", "vitest run"]] as const)),
];

const failed: string[] = [];
for (const [name, command] of steps) {
  const start = performance.now();
  const { status } = spawnSync("npx", ["--no-install", ...command.split(" ")], { stdio: "inherit" });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (status !== 0) failed.push(name);
}
console.log(`Checks: ${steps.length - failed.length} passed, ${failed.length} failed`);
process.exit(failed.length === 0 ? 0 : 1);
