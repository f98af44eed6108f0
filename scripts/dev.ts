/**
 * Runs a hosted instance on this machine, as Cloudflare's runtime would: `npm run dev`. Arguments are those of
 * `wrangler dev`, such as `--port 9000`. What it keeps is in `.wrangler/state`.
 */
import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const root: string = join(import.meta.dirname, "..");

/** The environment of wrangler: it works without an account, and tells nobody that it is used. */
export const wranglerEnv: Readonly<Record<string, string>> = {
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_HIDE_BANNER: "true",
};

/** The command that starts wrangler, before its own arguments. */
export const wrangler: readonly [string, ...string[]] = [
  process.execPath,
  join(root, "node_modules/wrangler/bin/wrangler.js"),
];

/** Refuses a second instance beside one that is at work on the same state, whose databases it would lock. */
function lockState(): void {
  const path = join(root, ".wrangler/dev.pid");
  mkdirSync(join(root, ".wrangler"), { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, String(process.pid), { flag: "wx" });
      process.on("exit", () => rmSync(path, { force: true }));
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    const pid = Number(readFileSync(path, "utf8"));
    if (isAlive(pid)) {
      console.error(
        `An instance is at work on .wrangler/state already: process ${pid}. End it first, or use --persist-to.`,
      );
      process.exit(1);
    }
    rmSync(path, { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch {
    return false;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  if (!process.argv.some((argument) => argument.startsWith("--persist-to"))) lockState();
  console.log(
    "Tokens: npm run token -- --name NAME. Sign in by opening the address below with /#token=TOKEN.",
  );
  const [program, ...first] = wrangler;
  const child = spawn(program, [...first, "dev", "--ip", "127.0.0.1", ...process.argv.slice(2)], {
    cwd: root,
    env: { ...process.env, ...wranglerEnv },
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  child.on("exit", (code) => {
    process.exitCode = code ?? 1;
  });
}
