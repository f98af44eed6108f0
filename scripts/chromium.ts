import { existsSync } from "node:fs";

/** The path of a Chromium on this machine, or the one that `CHROMIUM_PATH` names; nothing is ever downloaded. */
export function findChromium(): string | undefined {
  const places = [
    process.env.CHROMIUM_PATH,
    "/usr/bin/chromium",
    "/usr/bin/chromium-browser",
    "/usr/bin/google-chrome",
  ];
  return places.find((path) => path && existsSync(path));
}
