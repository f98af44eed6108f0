import { afterAll, beforeAll, expect, test } from "vitest";
import { findChromium } from "../../scripts/chromium.ts";
import { packWorkflow } from "../../web/lib/share.ts";
import { ServedApp } from "./served-app.ts";

const chromium = findChromium();
const JOBS = 10_000;

const FAN = `import { task } from "redun";
export const inc = task("load.inc", (n: number) => n + 1);
export const main = task("load.main", (n: number = ${JOBS}) => Array.from({ length: n }, (_, i) => inc(i)));
`;

let app: ServedApp;

beforeAll(async () => {
  if (chromium !== undefined) app = await ServedApp.start(chromium);
}, 60_000);

afterAll(() => app?.stop());

test.skipIf(chromium === undefined)(
  `the page is never busy for long while ${JOBS} jobs run and are shown`,
  // Whatever else the machine does counts as the page's time, so the best of a few runs tells.
  { timeout: 60_000, retry: 3 },
  async () => {
    const visitor = await app.newVisitor();
    await visitor.addInitScript(() => {
      const tasks: number[] = [];
      Object.assign(globalThis, { tasks });
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) tasks.push(duration);
      }).observe({ type: "longtask" });
    });
    const link = await packWorkflow({ source: FAN, task: "load.main", texts: {} });
    const page = await app.open(visitor, `#/share/${link}`);
    await page.getByRole("button", { name: "Open in the editor" }).click();
    await page.getByText(/^Built\./).waitFor();
    await page.waitForTimeout(500);
    // Starting the app and its editor is another matter.
    await page.evaluate(() => {
      (globalThis as unknown as { tasks: number[] }).tasks.length = 0;
    });
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/#\/executions\//);
    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await page.getByRole("treeitem").first().waitFor();
    await page.locator(".execution-head .status").filter({ hasText: "Done" }).waitFor({ timeout: 40_000 });
    await page
      .getByText(`${(JOBS + 1).toLocaleString("en")} jobs`)
      .first()
      .waitFor();
    await page.waitForTimeout(500);
    const longest = (): Promise<number> =>
      page.evaluate(() => Math.round(Math.max(0, ...(globalThis as unknown as { tasks: number[] }).tasks)));
    const found = await longest();
    expect(found).toBeLessThanOrEqual(100);
    // The browser would have told of a longer one.
    await page.evaluate(() => {
      setTimeout(() => {
        for (const end = performance.now() + 150; performance.now() < end; );
      });
    });
    await expect.poll(longest).toBeGreaterThanOrEqual(150);
  },
);
