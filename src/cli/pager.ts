import { spawn } from "node:child_process";
import type { Output } from "./output.ts";

/** Shows what is printed meanwhile through `less` if stdout is a terminal, and waits until it is closed. */
export async function withPager(output: Output, wanted: boolean, show: () => Promise<void>): Promise<void> {
  if (!wanted || !process.stdout.isTTY) return show();
  const pager = spawn("less", ["-F", "-K", "-R", "-S", "-X"], { stdio: ["pipe", "inherit", "inherit"] });
  let closed = false;
  const ended = new Promise<void>((resolve) => {
    pager.on("close", () => resolve());
    pager.on("error", () => {
      closed = true;
      resolve();
    });
  });
  const started = await new Promise<boolean>((resolve) => {
    pager.once("spawn", () => resolve(true));
    pager.once("error", () => resolve(false));
  });
  if (!started) return show();
  pager.on("close", () => {
    closed = true;
  });
  pager.stdin.on("error", () => {
    closed = true;
  });
  const restore = output.redirect((text) => {
    if (closed) throw new PagerClosed();
    pager.stdin.write(text);
  });
  // Ctrl-C belongs to the pager while it runs.
  const ignore = (): void => {};
  process.on("SIGINT", ignore);
  try {
    await show();
  } catch (error) {
    if (!(error instanceof PagerClosed)) throw error;
  } finally {
    restore();
    pager.stdin.end();
    await ended;
    process.off("SIGINT", ignore);
  }
}

/** The reader has left the pager, so nothing more needs to be shown. */
class PagerClosed extends Error {}
