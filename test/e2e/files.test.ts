/** Files of the user's own disk, read in place by the built app. */
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../../scripts/chromium.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { Scheduler, task } from "../../src/index.ts";
import { packWorkflow } from "../../web/lib/share.ts";
import { ServedApp } from "./served-app.ts";

const chromium = findChromium();
const MEGABYTE = 1 << 20;
const SIZE = 300 * MEGABYTE;

/** Reads the whole of a file in a job worker, and a part of it beside the scheduler. */
const WORKFLOW = `import { File, task } from "redun";

export const length = task("large.length", (file: File) => {
  const reader = file.stream().getReader();
  const next = (sum: number): Promise<number> =>
    reader.read().then(({ done, value }) => (done ? sum : next(sum + value.length)));
  return next(0);
});
export const last = task("large.last", async (file: File) => {
  const bytes = await file.bytes({ offset: (await file.size()) - 4 });
  return new TextDecoder().decode(bytes);
});
export const main = task("large.main", (file: File) => [length(file), last(file)]);
`;

const FOLDER = `import { Dir, task } from "redun";
export const main = task("folder.main", (dir: Dir) =>
  dir.files().then((files) => Promise.all(files.map((file) => file.text())).then((texts) => texts.sort().join("+"))));
`;

let app: ServedApp;
let visitor: BrowserContext;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "redun-picked-"));
  if (chromium === undefined) return;
  app = await ServedApp.start(chromium);
  visitor = await app.newVisitor();
}, 60_000);

afterAll(async () => {
  await app?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Opens a workflow in the editor, ready to run. */
async function open(source: string, task: string): Promise<Page> {
  const link = await packWorkflow({ source, task, texts: {} });
  const page = await app.open(visitor, `#/share/${link}`);
  await page.getByRole("button", { name: "Open in the editor" }).click();
  await page.getByText(/^Built\./).waitFor();
  return page;
}

async function run(page: Page): Promise<string> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/#\/executions\//);
  await page
    .locator(".execution-head .status")
    .filter({ hasText: /Done|Failed|Cancelled/ })
    .waitFor();
  return page.locator(".value-text").first().innerText();
}

const jobCounts = (page: Page): Promise<string> => page.locator(".execution-facts").innerText();

const usage = (page: Page): Promise<number> =>
  page.evaluate(async () => (await navigator.storage.estimate()).usage ?? 0);

/** A file of a size that takes no room on the disk, with something at its end. */
function sparseFile(path: string, size: number): void {
  const file = openSync(path, "w");
  writeSync(file, "tail", size - 4);
  closeSync(file);
  truncateSync(path, size);
}

describe.skipIf(chromium === undefined)("the repository as a file", () => {
  test("is taken over from the command line's redun.db, whose history shows", async () => {
    const path = join(folder, "redun.db");
    const backend = new SqliteBackend(path);
    await backend.load();
    const double = task("imported.double", (n: number) => 2 * n);
    const all = task("imported.all", (n: number) => Array.from({ length: n }, (_, i) => double(i)));
    await new Scheduler({ backend }).run(all(5), { args: ["redun", "run", "imported.ts", "imported.all"] });
    await backend.close();
    const page = await app.open(await app.newVisitor(), "#/files");
    const picker = page.locator("input[accept='.jsonl,.db']");
    await picker.setInputFiles(path);
    await page.getByText(/^Imported \d\d new records\.$/).waitFor();
    await picker.setInputFiles(path);
    await page.getByText("Imported 0 new records.").waitFor();
    await page.getByRole("link", { name: "Executions" }).click();
    await page
      .getByRole("link", { name: /imported/ })
      .first()
      .click();
    await page.locator(".execution-head .status").filter({ hasText: "Done" }).waitFor();
    await page.getByText("6 jobs: 6 ran").first().waitFor();

    const other = join(folder, "other.db");
    const db = await openSqlite(other);
    db.exec("CREATE TABLE notes(id INTEGER PRIMARY KEY)");
    db.close();
    await page.getByRole("link", { name: "Files" }).click();
    await picker.setInputFiles(other);
    await page.getByText("it is no store of redun").waitFor();
  });
});

describe.skipIf(chromium === undefined)("files of the user's disk", () => {
  test("larger than the memory should hold are read in parts, and not copied", {
    timeout: 60_000,
  }, async () => {
    const path = join(folder, "large.bin");
    sparseFile(path, SIZE);
    const page = await open(WORKFLOW, "large.main");
    await page.locator(".file-field input[type=file]").first().setInputFiles(path);
    await expect
      .poll(() => page.getByLabel("file", { exact: true }).inputValue())
      .toMatch(/^picked:.*large\.bin$/);
    const stored = await usage(page);
    const before = await app.memory();
    let most = 0;
    const timer = setInterval(() => {
      void app.memory().then(
        (size) => {
          most = Math.max(most, size);
        },
        () => {},
      );
    }, 100);
    const result = await run(page);
    clearInterval(timer);
    expect(result).toMatch(new RegExp(`${SIZE}[^]*tail`));
    expect(most).toBeGreaterThan(0);
    // Two workers begin meanwhile.
    expect((most - before) / MEGABYTE).toBeLessThan(150);
    expect(((await usage(page)) - stored) / MEGABYTE).toBeLessThan(20);

    // The same file, picked again after the page was opened anew.
    await page.reload();
    await page.getByRole("link", { name: "Workflow" }).click();
    await page.getByText(/^Built\./).waitFor();
    await page.locator(".file-field input[type=file]").first().setInputFiles(path);
    await expect.poll(() => page.getByLabel("file", { exact: true }).inputValue()).toMatch(/^picked:/);
    expect(await run(page)).toBe(result);
    expect(await jobCounts(page)).toMatch(/cached/i);
    rmSync(path);
    await page.close();
  });

  test("that are not there any more are asked for by name", async () => {
    const path = join(folder, "short.txt");
    writeFileSync(path, "abcd");
    const page = await open(WORKFLOW, "large.last");
    await page.locator(".file-field input[type=file]").first().setInputFiles(path);
    await expect.poll(() => page.getByLabel("file", { exact: true }).inputValue()).toMatch(/short\.txt$/);
    const text = await page.getByLabel("file", { exact: true }).inputValue();
    await page.reload();
    await page.getByRole("link", { name: "Workflow" }).click();
    await page.getByText(/^Built\./).waitFor();
    await page.getByRole("radio", { name: /^large\.last/ }).check();
    await page.getByLabel("file", { exact: true }).fill(text);
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.getByText("Pick short.txt again").first().waitFor();
    await page.close();
  });

  test("may be dropped as a folder, read where it is, and kept as a copy", async () => {
    const data = join(folder, "data");
    mkdirSync(join(data, "sub"), { recursive: true });
    writeFileSync(join(data, "a.txt"), "a");
    writeFileSync(join(data, "sub/b.txt"), "b");
    const page = await open(FOLDER, "folder.main");
    await dropFiles(page, ".file-field", [data]);
    await expect
      .poll(() => page.getByLabel("dir", { exact: true }).inputValue())
      .toBe("picked://folder/data");
    expect(await run(page)).toBe("a+b");
    // The browser gives a handle of it, which outlives the page and its engine.
    await page.reload();
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("heading", { name: "Read in place" }).waitFor();
    await page.getByRole("link", { name: "data/" }).click();
    await page.getByRole("link", { name: "sub/" }).click();
    await page.getByRole("link", { name: "b.txt" }).click();
    await page.locator(".value-text").getByText("b").waitFor();
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("button", { name: "Keep a copy of data" }).click();
    await page.getByRole("link", { name: "data/" }).nth(1).waitFor();
    await page.getByRole("button", { name: "Forget data" }).click();
    await expect.poll(() => page.getByRole("link", { name: "data/" }).count()).toBe(1);
    await page.close();
  });
});

/** Drops files and folders of the disk, as a person would. */
async function dropFiles(page: Page, selector: string, files: string[]): Promise<void> {
  const box = (await page.locator(selector).boundingBox())!;
  const at = { x: box.x + 10, y: box.y + 5 };
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"] as const)
    await session.send("Input.dispatchDragEvent", { type, ...at, data });
  await session.detach();
}
