import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "playwright";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findChromium } from "../../scripts/chromium.ts";
import { packWorkflow } from "../../web/lib/share.ts";
import { ServedApp } from "./served-app.ts";

const chromium = findChromium();

const PRICES = `import { task } from "redun";

const VAT = 0.19;
const gross = (net: number): number => Math.round(net * (1 + VAT) * 100) / 100;

export const price = task("prices.price", (net: number) => gross(net));
export const total = task("prices.total", (prices: number[]) => prices.reduce((a, b) => a + b, 0));

/**
 * Adds up an order.
 *
 * @param nets - the prices without tax
 */
export const main = task("prices.main", (nets: number[]) => total(nets.map((net) => price(net))));
`;

/** Bases and mean quality of each read; a line of qualities may begin as a header does. */
const FASTQ = `import { type File, map, task } from "redun";

interface Read { readonly name: string; readonly bases: string; readonly qualities: string }

export const parse = task("reads.parse", async (file: File): Promise<Read[]> => {
  const lines = (await file.text()).trimEnd().split("\\n");
  return Array.from({ length: lines.length / 4 }, (_, i) => {
    const [head, bases, , qualities] = lines.slice(4 * i);
    return { name: head!.slice(1).split(" ")[0]!, bases: bases!, qualities: qualities! };
  });
});
export const measure = task("reads.measure", ({ name, bases, qualities }: Read) => {
  if (bases.length !== qualities.length)
    throw new RangeError(name + " has " + bases.length + " bases and " + qualities.length + " qualities");
  const sum = [...qualities].reduce((total, char) => total + char.charCodeAt(0) - 33, 0);
  return { name, bases: bases.length, quality: sum / bases.length };
});
export const main = task("reads.main", (file: File) => map(measure, parse(file)));
`;

const EAGER = `import { task } from "redun";

export const step = task("eager.step", (x: number) => x + 1);
export const main = task("eager.main", async () => (await step(1)) + (await step(2)));
`;

const TABLE = `import { task } from "redun";
export const main = task("table.main", (names: string[] = ["a", "b"]) => names.map((name) => ({ name, size: 1 })));
`;

let app: ServedApp;
/** Somebody who has one tab open all the time, in which the engine is. */
let visitor: BrowserContext;

beforeAll(async () => {
  if (chromium === undefined) return;
  app = await ServedApp.start(chromium);
  visitor = await app.newVisitor();
  const page = await app.open(visitor, "#/files");
  await page.getByText("There are no files yet.").waitFor();
}, 60_000);

afterAll(async () => {
  await app?.stop();
});

const visit = (place: string): Promise<Page> => app.open(visitor, place);

/** Writes a source over what is in the editor, and waits until it is built. */
async function write(page: Page, source: string, task: string): Promise<void> {
  const editor = page.getByRole("textbox", { name: "Source of the workflow" });
  await editor.click();
  await page.keyboard.press("ControlOrMeta+A");
  await editor.evaluate((element, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
  }, source);
  await page.getByRole("radio", { name: new RegExp(`^${task.replace(".", "\\.")}\\(`) }).check();
  await page.getByText(/^Built\./).waitFor();
}

/** Presses Run, and waits until the execution has ended. */
async function run(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Run", exact: true }).click();
  await page.waitForURL(/#\/executions\//);
  await ended(page);
}

const ended = (page: Page) =>
  page
    .locator(".execution-head .status")
    .filter({ hasText: /Done|Failed|Cancelled/ })
    .waitFor();

const place = (page: Page, to: string): Promise<void> =>
  page.evaluate((hash) => {
    location.hash = hash;
  }, to);

/** Status and call of each job in sight. */
async function jobs(page: Page): Promise<string[]> {
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await page.getByRole("treeitem").first().waitFor();
  return (await page.getByRole("treeitem").allInnerTexts()).map((text) =>
    text.split("\n").slice(0, 2).join(" "),
  );
}

// Without a browser there is nothing to steer.
describe.skipIf(chromium === undefined)("the app", () => {
  test("reruns after an edit what the edit concerns", async () => {
    const page = await visit("#/workflow/hello");
    await write(page, PRICES, "prices.main");
    await page.getByLabel("nets", { exact: true }).fill("10, 20");
    await run(page);
    expect(await page.locator(".value-text").innerText()).toBe("35.7");
    expect((await jobs(page)).map((job) => job.split(" ")[0])).toEqual(["Done", "Done", "Done", "Done"]);

    await page.getByRole("link", { name: "Workflow" }).click();
    await write(page, PRICES.replace("0.19", "0.07"), "prices.main");
    await run(page);
    expect(await page.locator(".value-text").innerText()).toMatch(/^32\.(1|09999)/);
    const after = await jobs(page);
    expect(after.map((job) => job.split("(")[0])).toEqual([
      "Cached prices.main",
      "Done prices.price",
      "Done prices.price",
      "Done prices.total",
    ]);

    await page.getByRole("treeitem").nth(1).click();
    await page.getByText("The code that it uses changed").waitFor();
    await page.getByText("+ const VAT = 0.07;").waitFor();
    await page.getByRole("treeitem").nth(3).click();
    await page.getByText("The argument prices changed").waitFor();

    await place(page, "#/executions?task=price");
    await page.getByText("2 executions").waitFor();
    await place(page, "#/executions?task=nothing");
    await page.getByText("No execution fits.").waitFor();
  });

  test("counts what a call saved that came from the cache as a whole", async () => {
    const page = await visit("#/workflow/hello");
    await write(page, EAGER, "eager.main");
    await run(page);
    await page.getByRole("link", { name: "Workflow" }).click();
    await run(page);
    expect(await jobs(page)).toEqual(["Cached eager.main()"]);
    await page.getByRole("link", { name: "Compare with the one before" }).click();
    await page.getByText(/which these jobs took before/).waitFor();
    await page.getByLabel("Show those from the cache as well").check();
    await page.getByRole("link", { name: "eager.main()" }).waitFor();
    expect(await page.getByRole("heading", { name: "No longer there" }).count()).toBe(0);
  });

  test("writes a workflow of several files, and shares all of them", { timeout: 60_000 }, async () => {
    const page = await visit("#/workflow/recursion");
    await page.getByText(/^Built\./).waitFor();
    await page.getByRole("button", { name: "Add a file" }).click();
    await page.getByLabel("Name of the file").fill("../up.ts");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("Use letters, digits").waitFor();
    await page.getByLabel("Name of the file").fill("twice.ts");
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByRole("textbox", { name: "Source of twice.ts" }).click();
    await page.keyboard.type("export const twice = (n: number): number => 2 * n");
    await page.getByRole("tab", { name: "workflow.ts" }).click();
    const main = `import { task } from "redun";
import { twice } from "./twice.ts";
export const main = task("several.main", (n: number) => twice(n));
`;
    await write(page, main, "several.main");
    await page.getByLabel("n", { exact: true }).fill("21");
    await run(page);
    expect(await page.locator(".value-text").innerText()).toBe("42");

    await page.getByRole("link", { name: "Workflow" }).click();
    await page.getByRole("tab", { name: "twice.ts" }).click();
    await page.getByRole("button", { name: "Rename" }).click();
    await page.getByLabel("Name of the file").fill("thrice.ts");
    await page.getByRole("button", { name: "Rename", exact: true }).last().click();
    await page
      .getByText(/twice\.ts/)
      .first()
      .waitFor();
    await page.getByRole("tab", { name: "workflow.ts" }).click();
    await write(page, main.replace("twice.ts", "thrice.ts"), "several.main");

    await page.evaluate(() => {
      Object.defineProperty(navigator, "clipboard", {
        value: { writeText: () => Promise.reject(new Error()) },
      });
    });
    await page.getByRole("button", { name: "Share" }).click();
    const link = await page.getByLabel("Link to the workflow").inputValue();
    const other = await app.open(await app.newVisitor(), new URL(link).hash);
    await other.getByRole("heading", { name: "thrice.ts" }).waitFor();
    await other.getByRole("button", { name: "Open in the editor" }).click();
    await other.getByText(/^Built\./).waitFor();
    await other.getByRole("tab", { name: "thrice.ts" }).waitFor();

    await page.reload();
    await page.getByRole("tab", { name: "thrice.ts" }).click();
    await page.getByRole("button", { name: "Remove" }).click();
    await page.getByRole("button", { name: "Remove it" }).click();
    await page.getByText(/Line 2, column \d+:/).waitFor();
    await page.getByRole("button", { name: "Back to the example" }).click();
    await page.getByText(/^Built\./).waitFor();
  });

  test("shows what jobs wrote after the browser was closed and opened again", async () => {
    const alone = await app.newVisitor();
    const page = await app.open(alone, "#/workflow/hello");
    const source = `import { task } from "redun";
export const main = task("log.main", () => { console.log("a line to keep"); return 1; });
`;
    await write(page, source, "log.main");
    await run(page);
    await page.reload();
    await page.locator(".execution-head .status").filter({ hasText: "Done" }).waitFor();
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await page.getByText("a line to keep").waitFor();
    await page.getByRole("link", { name: "Timeline", exact: true }).click();
    await page.getByRole("button", { name: "Worker", exact: true }).click();
    await page.getByText("Which worker ran a job is known while").waitFor();
  });

  test("shows where the source has an error, and keeps the draft", async () => {
    const page = await visit("#/workflow/recursion");
    await page.getByText(/^Built\./).waitFor();
    await page.getByRole("textbox", { name: "Source of the workflow" }).click();
    await page.keyboard.press("ControlOrMeta+End");
    await page.keyboard.type("const broken = ;");
    await page.getByText(/^Line \d+, column \d+:/).waitFor();
    expect(await page.getByRole("button", { name: "Run", exact: true }).isDisabled()).toBe(true);
    await page.reload();
    await page.getByText("const broken = ;").waitFor();
  });

  test("takes a file that is dropped", async () => {
    const page = await visit("#/workflow/csv");
    await page.getByRole("group", { name: "File" }).waitFor();
    const transfer = await page.evaluateHandle(() => {
      const data = new DataTransfer();
      data.items.add(new File(["city,population\nOslo,717710\nBergen,291940\n"], "cities.csv"));
      return data;
    });
    await page.dispatchEvent(".file-field", "drop", { dataTransfer: transfer });
    await expect.poll(() => page.getByLabel("file", { exact: true }).inputValue()).toContain("cities.csv");
    await run(page);
    const row = page.getByRole("table", { name: "Values" }).getByRole("row").nth(1);
    expect((await row.innerText()).split("\n")).toEqual([
      "1",
      "population",
      "2",
      "717710",
      "504825",
      "291940",
      "0",
    ]);
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("link", { name: "cities.csv" }).click();
    await page.getByRole("cell", { name: "Bergen" }).waitFor();
  });

  test("takes reads in FASTQ that are dropped, and names the read that is broken", async () => {
    const link = await packWorkflow({ source: FASTQ, task: "reads.main", texts: {} });
    const page = await visit(`#/share/${link}`);
    await page.getByRole("button", { name: "Open in the editor" }).click();
    await page.getByText(/^Built\./).waitFor();
    const dropReads = async (name: string, text: string): Promise<void> => {
      const transfer = await page.evaluateHandle(
        ([file, content]) => {
          const data = new DataTransfer();
          data.items.add(new File([content!], file!));
          return data;
        },
        [name, text],
      );
      await page.dispatchEvent(".file-field", "drop", { dataTransfer: transfer });
      await expect.poll(() => page.getByLabel("file", { exact: true }).inputValue()).toContain(name);
    };
    await dropReads("reads.fastq", "@r1 lane=1\nGATTACA\n+\nIIIIIII\n@r2 lane=1\nGGCC\n+r2\n@@@@\n");
    await run(page);
    const rows = page.getByRole("table", { name: "Values" }).getByRole("row");
    const textOf = async (row: number): Promise<string> =>
      (await rows.nth(row).innerText()).replace(/\s+/g, " ");
    expect([await textOf(1), await textOf(2)]).toEqual(["1 7 r1 40", "2 4 r2 31"]);
    await page.goBack();
    await dropReads("broken.fastq", "@r1\nGATTACA\n+\nIII\n");
    await page.getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForURL(/#\/executions\//);
    await page.getByText("r1 has 7 bases and 3 qualities").first().waitFor();
  });

  test("shows a page that a task made, and runs nothing of it", async () => {
    const page = await visit("#/workflow/hello");
    const html =
      "<!doctype html><style>h1 { color: rgb(1, 2, 3) }</style><h1>Report</h1><script>parent.document.title = 1; document.querySelector('h1').remove()</script>";
    const source = `import { task } from "redun";
export const main = task("page.main", () => ${JSON.stringify(html)});
`;
    await write(page, source, "page.main");
    await run(page);
    const heading = page.frameLocator("iframe").getByRole("heading", { name: "Report" });
    await heading.waitFor();
    expect(await heading.evaluate((element) => getComputedStyle(element).color)).toBe("rgb(1, 2, 3)");
    expect(await page.title()).toBe("Executions · redun");
  });

  test("runs nothing of a link by itself", async () => {
    const source = `import { task } from "redun";
export const main = task("shared.main", (word: string) => word.toUpperCase());
`;
    const link = await packWorkflow({ source, task: "shared.main", texts: { word: "quiet" } });
    const page = await app.open(await app.newVisitor(), `#/share/${link}`);
    await page.getByRole("heading", { name: "A workflow from a link" }).waitFor();
    await page.getByText("shared.main", { exact: true }).waitFor();
    await place(page, "#/executions");
    await page.getByText("Nothing has run in this browser yet.").waitFor();

    await page.goBack();
    await page.getByRole("button", { name: "Open in the editor" }).click();
    await page.getByText(/^Built\./).waitFor();
    await place(page, "#/executions");
    await page.getByText("Nothing has run in this browser yet.").waitFor();

    await page.goBack();
    await run(page);
    expect(await page.locator(".value-text").innerText()).toBe("QUIET");
  });

  test("is used by keyboard alone", async () => {
    const page = await visit("#/workflow/errors");
    await page.getByText(/^Built\./).waitFor();
    const tabTo = async (selector: string): Promise<void> => {
      for (let i = 0; i < 40; i++) {
        await page.keyboard.press("Tab");
        if (await page.evaluate((wanted) => document.activeElement?.matches(wanted) === true, selector))
          return;
      }
      throw new Error(`${selector} is not reached with Tab`);
    };
    await tabTo("button.primary");
    await page.keyboard.press("Enter");
    await page.waitForURL(/#\/executions\//);
    await ended(page);
    await tabTo("a[href$='/jobs']");
    await page.keyboard.press("Enter");
    await tabTo("[role=tree]");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.getByRole("complementary", { name: /^Job errors\./ }).waitFor();
    await page.keyboard.press("Home");
    await page.keyboard.press("ArrowLeft");
    expect(await page.getByRole("treeitem").count()).toBe(1);
  });

  test("opens without a network after the first visit", async () => {
    const page = await app.open(await app.newVisitor(), "#/workflow/hello");
    await page.getByText(/^Built\./).waitFor();
    await page.waitForFunction(async () => {
      const names = await caches.keys();
      const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return kept.flat().some(({ url }) => /esbuild-\w+\.wasm$/.test(url));
    });
    await page.context().setOffline(true);
    await page.reload();
    await page.getByText(/^Built\./).waitFor();
    await run(page);
    expect(await page.locator(".value-text").innerText()).toBe("Hello, World!");
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
  });

  test("takes nothing from its cache that the build did not make", async () => {
    const page = await app.open(await app.newVisitor(), "#/workflow/hello");
    await page.getByText(/^Built\./).waitFor();
    await page.waitForFunction(async () => {
      const names = await caches.keys();
      const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return navigator.serviceWorker.controller !== null && kept.flat().length > 5;
    });
    // As code of a workflow would have to, had it a cache.
    const spoofed = await page.evaluate(async () => {
      let count = 0;
      for (const name of await caches.keys()) {
        const cache = await caches.open(name);
        for (const request of await cache.keys()) {
          const type = /\.css$/.test(request.url)
            ? "text/css"
            : /\.js$/.test(request.url)
              ? "text/javascript"
              : "text/html";
          const body = type === "text/html" ? "<title>spoofed</title>" : "document.title = 'spoofed';";
          await cache.put(request, new Response(body, { headers: { "Content-Type": type } }));
          count++;
        }
      }
      return count;
    });
    expect(spoofed).toBeGreaterThan(5);
    await page.reload();
    await page.getByText(/^Built\./).waitFor();
    expect(await page.title()).toBe("Workflow · redun");
    await run(page);
    expect(await page.locator(".value-text").innerText()).toBe("Hello, World!");
  });

  test("has no serious fault of accessibility", { timeout: 60_000 }, async () => {
    const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    const page = await visit("#/workflow/errors");
    await page.getByText(/^Built\./).waitFor();
    const faults: Record<string, string[]> = {};
    const scan = async (view: string): Promise<void> => {
      // The page's policy lets no script of others in, except by the browser's own console.
      await page.evaluate(axe);
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        faults[`${view} ${colorScheme}`] = await faultsOf(page);
      }
    };
    const faultsOf = (page: Page): Promise<string[]> =>
      page.evaluate(async () => {
        const { axe } = window as unknown as {
          axe: {
            run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
          };
        };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
      });
    await scan("workflow");
    await run(page);
    await page.getByRole("link", { name: "Workflow" }).click();
    await run(page);
    await scan("overview");
    await jobs(page);
    await page.getByRole("treeitem").nth(1).click();
    await page.getByRole("heading", { name: /^Why it/ }).waitFor();
    await scan("jobs");
    for (const tab of ["Graph", "Timeline", "Log"]) {
      await page.getByRole("link", { name: tab, exact: true }).click();
      await page.locator(`.tab-${tab.toLowerCase()} > *`).first().waitFor();
      await scan(tab);
    }
    await page.getByRole("link", { name: "Compare with the one before" }).click();
    await page.getByRole("heading", { name: "In short" }).waitFor();
    await scan("compare");
    await page.getByRole("link", { name: "Executions" }).click();
    await page.getByRole("table").waitFor();
    await scan("executions");
    await place(page, "#/workflow/hello");
    await write(page, TABLE, "table.main");
    await run(page);
    await page.getByRole("table", { name: "Values" }).waitFor();
    await scan("table");
    await page.getByRole("link", { name: "Timeline", exact: true }).click();
    await page.getByRole("button", { name: "Worker", exact: true }).click();
    await page.getByRole("list", { name: "Workers" }).waitFor();
    await scan("workers");
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.getByRole("link", { name: "Where it came from" }).click();
    await page.getByText("made by").waitFor();
    await scan("value");
    await page.getByRole("link", { name: "Files" }).click();
    await page.getByRole("heading", { name: "Repository" }).waitFor();
    await page
      .locator(".drop-zone input[type=file]")
      .first()
      .setInputFiles({ name: "picked.txt", mimeType: "text/plain", buffer: Buffer.from("picked") });
    await page.getByRole("heading", { name: "Read in place" }).waitFor();
    await scan("files");
    await place(page, "#/workflow/csv");
    await page.getByText(/^Built\./).waitFor();
    await page.getByRole("button", { name: "Add a file" }).click();
    await page.getByRole("button", { name: "Add", exact: true }).click();
    await page.getByText("Give it a name.").waitFor();
    await scan("several files");
    expect(Object.entries(faults).filter(([, found]) => found.length > 0)).toEqual([]);
  });

  test("broke no rule of its content security policy", () => {
    expect(app.problems).toEqual([]);
  });
});
