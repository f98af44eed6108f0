import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { findChromium } from "../../scripts/chromium.ts";
import { staticFiles } from "../../scripts/serve-web.ts";
import { openConfig } from "../../src/cli/config-dir.ts";
import { type RunningServer, startServer } from "../../src/cli/server/start-server.ts";
import type { RequestLog } from "../../src/server/app.ts";
import { type Client, createClient } from "../../src/server/client.ts";

const executablePath = findChromium();

/** Tasks for all of these tests. */
const WORKFLOW = `import { Dir, File, task } from "redun";

export const double = task("sums.double", (x: number) => 2 * x);
export const add = task("sums.add", (xs: number[]) => xs.reduce((a, b) => a + b, 0));
export const sumsMain = task("sums.main", (xs: number[]) => {
  console.log("adding", xs.length);
  return add(xs.map((x) => double(x)));
});

export const wait = task("slow.wait", async (ms: number) => {
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
});
export const slowMain = task("slow.main", (ms: number) => wait(ms));

export const shoutMain = task("shout.main", async (file: File) => (await file.text()).toUpperCase());
export const all = task("shout.all", async (dir: Dir) => {
  const texts = await Promise.all((await dir.files()).map((file) => file.text()));
  return texts.join("+").toUpperCase();
});

export const table = task("shout.table", async (path: string) => {
  const file = new File(path);
  await file.write("word,count\\nquiet,1\\n");
  return file;
});

const status = async (url: string): Promise<number> => (await fetch(url, { credentials: "include" })).status;
const paths = ["me", "executions", "repos/default/executions"];
export const spyMain = task("spy.main", async (url: string) => {
  const found = [];
  for (const path of paths) found.push(await status(url + "/api/v1/" + path));
  return found.join(" ");
});
`;

let folder: string;
/** The app as static files, on an origin that the instance allows. */
let elsewhere: { readonly address: string; readonly server: Server };
let server: RunningServer;
let browser: Browser;
let admin: Client;
const visitors = new Map<string, BrowserContext>();
const requests: RequestLog[] = [];
const warnings: string[] = [];
const problems: string[] = [];

function serve(port: number): Promise<RunningServer> {
  const dir = join(folder, ".redun");
  return startServer({
    dir,
    config: openConfig({ dir, source: "default" }),
    version: "test",
    port,
    assets: inject("app"),
    corsOrigins: [new URL(elsewhere.address).origin],
    maxWorkers: 2,
    log: (line) => requests.push(line),
    warn: (text) => warnings.push(text),
  });
}

beforeAll(async () => {
  if (executablePath === undefined) return;
  folder = mkdtempSync(join(tmpdir(), "redun-instance-"));
  const files = createServer(staticFiles(inject("app")));
  await new Promise<void>((resolve) => files.listen(0, resolve));
  elsewhere = { address: `http://127.0.0.1:${(files.address() as AddressInfo).port}/`, server: files };
  server = await serve(0);
  admin = createClient(server.url, { token: server.firstToken! });
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
}, 60_000);

afterAll(async () => {
  await browser?.close();
  await server?.close();
  elsewhere?.server.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
});

/** What a browser tells of answers that say that something is not there, or not for everybody. */
const EXPECTED = /status of 40[14]|blocked by CORS policy|net::ERR_(FAILED|INTERNET_DISCONNECTED)/;

/** Opens an address of the app for somebody. */
async function open(visitor: BrowserContext, address: string): Promise<Page> {
  const page = await visitor.newPage();
  page.setDefaultTimeout(10_000);
  page.on("console", (message) => {
    if (message.type() === "error" && !EXPECTED.test(message.text())) problems.push(message.text());
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  await page.goto(new URL(address, server.url).href);
  return page;
}

/** Somebody who is signed in by the link that the server prints, at the overview of the instance. */
async function signedIn(token: string): Promise<Page> {
  const page = await open(await browser.newContext(), `#token=${token}`);
  await page.getByText("Signed in as").waitFor();
  return page;
}

const tokenFor = async (role: "viewer" | "runner"): Promise<string> =>
  (await admin.createToken({ name: role, role })).token;

/** A page of somebody with a role, who is signed in once and keeps a tab open. */
async function pageOf(role: "viewer" | "runner" | "admin"): Promise<Page> {
  const known = visitors.get(role);
  if (known !== undefined) return open(known, "#/instances");
  const page = await signedIn(role === "admin" ? server.firstToken! : await tokenFor(role));
  visitors.set(role, page.context());
  return page;
}

const go = (page: Page, hash: string): Promise<void> =>
  page.evaluate((to) => {
    location.hash = to;
  }, hash);

/** Chooses a task of the workflow, which is written into the editor where it is not there yet. */
async function choose(page: Page, task: string): Promise<void> {
  await page.getByText(/^Built\./).waitFor();
  const choice = page.getByRole("radio", { name: new RegExp(`^${task.replace(".", "\\.")}\\(`) });
  if ((await choice.count()) === 0) {
    const editor = page.getByRole("textbox", { name: "Source of the workflow" });
    await editor.click();
    await page.keyboard.press("ControlOrMeta+A");
    await editor.evaluate((element, text) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", text);
      element.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    }, WORKFLOW);
  }
  await choice.check();
  await page.getByText(/^Built\./).waitFor();
}

/** Runs what is in the editor with the one argument. */
async function run(page: Page, field: string, text: string): Promise<void> {
  await page.getByLabel(field, { exact: true }).fill(text);
  await page.getByRole("button", { name: /^Run( on \w+)?$/ }).click();
  await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
}

/** Drops files, by their names, somewhere. */
async function drop(page: Page, selector: string, files: Readonly<Record<string, string>>): Promise<void> {
  const dataTransfer = await page.evaluateHandle((texts) => {
    const data = new DataTransfer();
    for (const [name, text] of Object.entries(texts)) data.items.add(new File([text], name));
    return data;
  }, files);
  await page.dispatchEvent(selector, "drop", { dataTransfer });
}

const ended = (page: Page, status = "Done"): Promise<void> =>
  page.locator(".execution-head .status").filter({ hasText: status }).waitFor();

/** Status and call of each job. */
async function jobs(page: Page): Promise<string[]> {
  await page.getByRole("link", { name: "Jobs", exact: true }).click();
  await page.getByRole("treeitem").first().waitFor();
  return (await page.getByRole("treeitem").allInnerTexts()).map((text) =>
    text.split("\n").slice(0, 2).join(" "),
  );
}

/** What is wrong with a page, by axe, in light and dark. */
async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
  const faults: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
    });
    faults.push(...found.map((fault) => `${colorScheme} ${page.url()} ${fault}`));
  }
  return faults;
}

/** Parts of a page that reach beyond its right edge, but for what scrolls by itself. */
const wideParts = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
    [...document.querySelectorAll("main *")]
      .filter(
        (part) => part.closest(".table-scroll") === null && part.getBoundingClientRect().right > innerWidth,
      )
      .map((part) => part.outerHTML.slice(0, 100)),
  );

const HERE = "#/at/here/default";
const PATIENT = { timeout: 10_000 };

// Without a browser there is nothing to steer.
describe.skipIf(executablePath === undefined)("the app of an instance", () => {
  test("takes a token out of its address and signs in, runs there, and shows what came of it", async () => {
    const page = await pageOf("admin");
    expect(page.url()).not.toContain("token");
    expect(await page.evaluate(() => history.length)).toBeLessThan(3);
    await page.getByRole("link", { name: "Run a workflow" }).first().click();
    await page.getByRole("button", { name: /^default on 127.0.0.1:\d+: where you work$/ }).waitFor();
    await page.getByText(/the arguments and files among them are sent there/).waitFor();
    await choose(page, "sums.main");
    await run(page, "xs", "1, 2, 3");
    await ended(page);
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    expect(await page.locator(".value-text").innerText()).toBe("12");
    const [execution] = (await admin.repo("default").list()).items;
    const args = ["redun", "run", "workflow.ts", "sums.main", "--xs", "[ 1, 2, 3 ]"];
    expect(execution).toMatchObject({ status: "DONE", task: "sums.main", user: "admin", args });
    // Looked at by somebody else, from the store alone.
    const other = await pageOf("viewer");
    await go(other, `${HERE}/executions/${execution!.id}`);
    await ended(other);
    expect(await other.locator(".value-text").innerText()).toBe("12");
    await expect
      .poll(() => jobs(other), PATIENT)
      .toEqual([
        "Done sums.main([ 1, 2, 3 ])",
        expect.stringMatching(/^Done sums\.double\(\d\)$/),
        expect.stringMatching(/^Done sums\.double\(\d\)$/),
        expect.stringMatching(/^Done sums\.double\(\d\)$/),
        "Done sums.add([ 2, 4, 6 ])",
      ]);
    await other.getByRole("treeitem").nth(4).click();
    await other
      .getByText("Nothing like it ran before")
      .or(other.getByText(/^Why it/))
      .first()
      .waitFor();
    await other.getByRole("link", { name: "Log", exact: true }).click();
    await other.getByText("adding 3").waitFor();
    await other.getByRole("link", { name: "Graph", exact: true }).click();
    await other.locator(".tab-graph svg").first().waitFor();
  });

  test("pushes an execution of the tab with all its jobs, which then count there", async () => {
    const page = await pageOf("runner");
    await go(page, "#/workflow/hello");
    await page.getByText("Nothing leaves it but what the workflow itself sends", { exact: false }).waitFor();
    await choose(page, "sums.main");
    await run(page, "xs", "10, 20");
    await ended(page);
    const own = await jobs(page);
    await page.getByRole("button", { name: "Push…" }).click();
    await page.getByRole("button", { name: "Push 1 execution" }).click();
    await page.getByText(/^Done\. \d+ records sent/).waitFor();
    await page.getByRole("link", { name: "See it there" }).click();
    await page.getByRole("button", { name: /^default on / }).waitFor();
    await ended(page);
    const names = (list: readonly string[]): string[] => list.map((job) => job.split("(")[0]!);
    expect(names(await jobs(page))).toEqual(names(own));
    expect(own).toHaveLength(4);

    await page.getByRole("link", { name: "Workflow" }).click();
    await run(page, "xs", "10, 20");
    await ended(page);
    expect([...new Set((await jobs(page)).map((job) => job.split(" ")[0]))]).toEqual(["Cached"]);

    await page.getByRole("link", { name: "Executions" }).click();
    await page.getByRole("checkbox").first().check();
    await page.getByRole("button", { name: "Pull 1 execution into this tab" }).click();
    await page.getByText(/^Done\. \d+ records? sent/).waitFor();
    await page.getByRole("link", { name: "See it in this tab" }).click();
    await page.getByRole("button", { name: /^This tab/ }).waitFor();
    await ended(page);
    const kept = await page.evaluate(async () => {
      const urls: string[] = [];
      for (const name of await caches.keys())
        for (const { url } of await (await caches.open(name)).keys()) urls.push(url);
      return { urls, text: JSON.stringify([{ ...localStorage }, { ...sessionStorage }]) };
    });
    expect(kept.urls.filter((url) => url.includes("/api/"))).toEqual([]);
    expect(kept.text).not.toContain("redun_");
  });

  test("keeps code of workflows in the tab from acting for whoever is signed in", async () => {
    const page = await pageOf("runner");
    await go(page, "#/workflow/hello");
    await choose(page, "spy.main");
    await run(page, "url", server.url);
    await ended(page);
    // It has the cookie, but not the key that pages keep.
    const text = await page.locator(".value-text, .value").first().innerText();
    expect(text.match(/\b\d{3}\b/g)).toEqual(["401", "401", "401"]);
  });

  test("sends a file of the tab, and refuses one that the instance can't read", async () => {
    const page = await pageOf("runner");
    await go(page, `${HERE}/workflow/hello`);
    await choose(page, "shout.main");
    const field = page.getByLabel("file", { exact: true });
    await field.fill("s3://bucket/words.txt");
    await page.getByRole("button", { name: "Run on default" }).click();
    await page.getByText(/can't be given to an instance/).waitFor();
    await field.fill("opfs://missing.txt");
    await page.getByRole("button", { name: "Run on default" }).click();
    await page.getByText(/There is no opfs:\/\/missing\.txt in this tab/).waitFor();
    await drop(page, ".file-field", { "words.txt": "quiet words" });
    await expect.poll(() => field.inputValue(), PATIENT).toContain("words.txt");
    await page.getByRole("button", { name: "Run on default" }).click();
    await page.waitForURL(/\/executions\//);
    await ended(page);
    expect(await page.locator(".value-text").innerText()).toBe("QUIET WORDS");

    await go(page, `${HERE}/workflow/hello`);
    await page.getByRole("radio", { name: /^shout\.table/ }).check();
    const made = join(folder, "made.csv");
    await run(page, "path", made);
    await ended(page);
    await page.getByRole("cell", { name: "quiet", exact: true }).waitFor();
    const download = page.waitForEvent("download");
    await page.getByRole("button", { name: "Save a copy" }).click();
    expect((await download).suggestedFilename()).toBe("made.csv");

    await go(page, `#/files/${encodeURIComponent("opfs://notes")}`);
    await drop(page, ".drop-zone", { "a.txt": "one", "b.txt": "two" });
    await page.getByRole("link", { name: "b.txt" }).waitFor();
    await go(page, `${HERE}/workflow/hello`);
    await page.getByRole("radio", { name: /^shout\.all/ }).check();
    await run(page, "dir", "opfs://notes");
    await ended(page);
    expect(await page.locator(".value-text").innerText()).toBe("ONE+TWO");
  });

  test("shows what others run as it happens, and lets those who may cancel it", async () => {
    const packages = admin.repo("default");
    const page = await pageOf("runner");
    await go(page, `${HERE}/workflow/hello`);
    await choose(page, "slow.main");
    await run(page, "ms", "1");
    await ended(page);
    const [first] = (await packages.list({ task: "slow.main" })).items;
    const id = await packages.start({ package: first!.package!, task: "slow.main", args: [60_000] });
    const viewer = await pageOf("viewer");
    await go(viewer, `${HERE}/executions`);
    const running = viewer.getByRole("region", { name: "Running" });
    await running.getByText("by admin").waitFor();
    await running.getByRole("link").click();
    const cancel = viewer.getByRole("button", { name: "Cancel" });
    await cancel.waitFor();
    expect(await cancel.isDisabled()).toBe(true);
    await go(page, `${HERE}/executions/${id}`);
    await page.getByRole("button", { name: "Cancel" }).click();
    await Promise.all([ended(page, "Cancelled"), ended(viewer, "Cancelled")]);

    await go(viewer, `${HERE}/workflow/hello`);
    await viewer.getByText("Your token may only read there.", { exact: false }).waitFor();
    expect(await viewer.getByRole("button", { name: "Run on default" }).isDisabled()).toBe(true);
  });

  test("manages repositories and tokens, and says when a session is over", async () => {
    const page = await pageOf("admin");
    await go(page, "#/instances/here");
    await page.getByLabel("New repository").fill("team");
    await page.getByRole("button", { name: "Create" }).click();
    await page.getByRole("link", { name: "team", exact: true }).waitFor();
    await page.getByRole("link", { name: "sums.main" }).first().waitFor();
    const form = page.getByRole("form", { name: "New token" });
    await form.getByLabel("Name").fill("guest");
    await form.getByLabel("Role").selectOption("viewer");
    await form.getByRole("checkbox", { name: "team" }).check();
    await form.getByRole("button", { name: "Make token" }).click();
    const made = page.getByRole("textbox", { name: "Token guest" });
    await expect.poll(() => made.evaluate((field) => field === document.activeElement), PATIENT).toBe(true);
    const token = await made.inputValue();
    await page.getByRole("button", { name: "Hide" }).click();
    expect(await page.content()).not.toContain(token);

    const guest = await signedIn(token);
    await go(guest, "#/at/here/default/executions");
    await guest.getByText("has no repository default").waitFor();
    await go(guest, "#/at/here/team/executions");
    await guest.getByText("Nothing has run in this repository yet.").waitFor();
    await page.getByRole("button", { name: "Revoke guest…" }).click();
    await page.getByRole("button", { name: "Revoke guest", exact: true }).click();
    await page.getByRole("button", { name: "Revoke guest…" }).waitFor({ state: "detached" });
    // The list asks again by itself.
    await guest.getByText("You are not signed in to", { exact: false }).waitFor();
    expect(guest.url()).toContain("#/at/here/team/executions");

    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token", { exact: true }).waitFor();
    await page.reload();
    await page.getByLabel("Token", { exact: true }).fill(server.firstToken!);
    await page.keyboard.press("Enter");
    await page.getByText("Signed in as").waitFor();
  });

  test("is used from a page of another origin that the instance allows", async () => {
    const allowed = `${elsewhere.address}#/instances`;
    const page = await open(await browser.newContext(), allowed);
    await page.getByLabel("Address of an instance").fill(server.url);
    await page.getByRole("button", { name: "Connect" }).click();
    await page.getByLabel("Token", { exact: true }).fill(await tokenFor("runner"));
    await page.getByLabel("Keep the token until this tab is closed").check();
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Signed in as").waitFor();
    await page.reload();
    await page.getByRole("link", { name: "default", exact: true }).click();
    await page
      .getByRole("link", { name: /sums\.main/ })
      .first()
      .click();
    await ended(page);

    const refused = await open(
      await browser.newContext(),
      `${allowed.replace("127.0.0.1", "localhost")}/${encodeURIComponent(server.url)}`,
    );
    await refused.getByLabel("Token", { exact: true }).fill(await tokenFor("runner"));
    await refused.getByRole("button", { name: "Sign in" }).click();
    await refused.getByText("--cors-origin http://localhost", { exact: false }).waitFor();
  });

  test("leads from an execution that a restart interrupted to the one that goes on", async () => {
    const repo = admin.repo("default");
    const [first] = (await repo.list({ task: "slow.main" })).items;
    const id = await repo.start({ package: first!.package!, task: "slow.main", args: [2_000] });
    await expect.poll(async () => (await repo.execution(id)).jobs.length).toBe(2);
    await server.close();
    server = await serve(Number(new URL(server.url).port));
    await expect.poll(async () => (await repo.execution(id)).status, { timeout: 20_000 }).toBe("DONE");
    const page = await signedIn(await tokenFor("viewer"));
    await go(page, `${HERE}/executions/${id}`);
    await ended(page, "Interrupted");
    expect(await page.getByRole("columnheader", { name: "Running" }).count()).toBe(0);
    await page.getByRole("link", { name: "It goes on in another execution" }).click();
    await ended(page);
  });

  test("asks once for an execution, whichever parts of it are looked at", async () => {
    const page = await pageOf("viewer");
    const [execution] = (await admin.repo("default").list({ task: "sums.main" })).items;
    await go(page, `${HERE}/executions/${execution!.id}`);
    await ended(page);
    const asked = (): number => requests.filter(({ path }) => path.endsWith("/query/getExecutions")).length;
    await page.waitForLoadState("networkidle");
    const before = asked();
    await jobs(page);
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await page.locator(".tab-log").waitFor();
    await page.getByRole("link", { name: "Overview", exact: true }).click();
    await page.getByRole("heading", { name: "Result" }).waitFor();
    expect(asked()).toBe(before);
    await go(page, `${HERE}/executions/..%2F..%2F..%2Ftokens`);
    await page.getByText("This repository has no execution").waitFor();
  });

  test("says once that an instance does not answer, and goes on when it does", async () => {
    const page = await signedIn(await tokenFor("viewer"));
    await go(page, `${HERE}/executions`);
    await page.getByRole("link", { name: "sums.main" }).first().waitFor();
    await page.context().setOffline(true);
    await go(page, `${HERE}/executions?status=DONE`);
    await page.getByText("does not answer. It is asked again").waitFor();
    await page.getByText("Waiting for the instance to answer").waitFor();
    expect(await page.getByRole("alert").count()).toBe(1);
    await page.context().setOffline(false);
    await page.getByRole("link", { name: "sums.main" }).first().waitFor();
    expect(await page.getByRole("alert").count()).toBe(0);
  });

  test("offers to load the page again when a part of the app does not come", async () => {
    const page = await open(await browser.newContext({ serviceWorkers: "block" }), "");
    await page.route(/\/assets\/executions-view/, (route) => route.abort());
    await go(page, "#/executions");
    await page.getByText("This part of the app could not be loaded.").waitFor();
    await page.unroute(/\/assets\/executions-view/);
    await page.getByRole("button", { name: "Load the page again" }).click();
    await page.getByText("Nothing has run in this browser yet.").waitFor();
  });

  test("runs where it was asked to, though one has gone elsewhere before it was built", async () => {
    const page = await pageOf("runner");
    await go(page, "#/workflow/hello");
    await choose(page, "sums.main");
    await page.getByLabel("xs", { exact: true }).fill("1, 2, 3");
    const editor = page.getByRole("textbox", { name: "Source of the workflow" });
    await editor.click();
    await page.keyboard.press("ControlOrMeta+End");
    const button = page.getByRole("button", { name: "Run", exact: true });
    await button.evaluate(
      (run, [field, there]) => {
        const clipboardData = new DataTransfer();
        clipboardData.setData("text/plain", "// changed");
        field!.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        (run as HTMLButtonElement).click();
        location.hash = String(there);
      },
      [await editor.elementHandle(), `${HERE}/executions`] as const,
    );
    await page.waitForURL(/\/executions\/[0-9a-f-]{36}/);
    expect(page.url()).not.toContain("/at/");
    await ended(page);
  });

  test("asks before a link signs one in with another token", async () => {
    const page = await signedIn(await tokenFor("viewer"));
    const link = `#token=${await tokenFor("runner")}`;
    const questions: string[] = [];
    const answers = [false, true];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void (answers.shift() ? dialog.accept() : dialog.dismiss());
    });
    await go(page, link);
    await expect.poll(() => questions.length, PATIENT).toBe(1);
    await page.getByText("viewer, who reads").waitFor();
    await page.reload();
    await page.getByText("viewer, who reads").waitFor();
    await page.goto(new URL(link, server.url).href);
    await page.getByText("runner, who reads").waitFor();
    expect(questions).toEqual(Array(2).fill(expect.stringContaining("signed in to this instance already")));
  });

  test("has no serious fault of accessibility, and fits a phone", async () => {
    const page = await pageOf("admin");
    const [execution] = (await admin.repo("default").list({ task: "sums.main" })).items;
    const faults: string[] = [];
    const wide: string[] = [];
    const views = [
      "#/instances",
      "#/instances/here",
      `${HERE}/workflow/hello`,
      `${HERE}/executions`,
      `${HERE}/files`,
    ];
    for (const view of [...views, `${HERE}/executions/${execution!.id}`]) {
      await page.setViewportSize({ width: 1200, height: 800 });
      await go(page, view);
      await page.locator("h1").first().waitFor();
      await expect.poll(() => page.getByText("Loading…").count(), PATIENT).toBe(0);
      faults.push(...(await faultsOf(page)));
      await page.setViewportSize({ width: 360, height: 740 });
      const width = await page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 360) wide.push(`${view} ${width}`, ...(await wideParts(page)));
      await page.getByRole("button", { name: /: where you work$/ }).click({ trial: true });
    }
    await page.getByRole("button", { name: /: where you work$/ }).click();
    await page.getByRole("navigation", { name: "Places" }).getByRole("link", { name: "This tab" }).waitFor();
    faults.push(...(await faultsOf(page)));
    await page.keyboard.press("Escape");
    expect(await page.getByRole("navigation", { name: "Places" }).isVisible()).toBe(false);
    expect({ faults, wide }).toEqual({ faults: [], wide: [] });
  });

  test("told no secret to the server's log, and broke no rule of its policy", () => {
    expect(requests.length).toBeGreaterThan(50);
    expect(JSON.stringify(requests)).not.toMatch(/redun_[0-9a-f]/);
    expect(warnings).toEqual([]);
    expect(problems).toEqual([]);
  });
});
