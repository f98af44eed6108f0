/** The built app on a port of its own, and pages of a browser that show it. */
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright";
import { inject } from "vitest";
import { staticFiles } from "../../scripts/serve-web.ts";

export class ServedApp {
  private readonly server: Server;
  private readonly browser: Browser;
  readonly address: string;
  /** Errors that pages told their console, or threw. */
  readonly problems: string[] = [];

  private constructor(server: Server, browser: Browser) {
    this.server = server;
    this.browser = browser;
    this.address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  /** Serves the app, and starts a browser. */
  static async start(executablePath: string): Promise<ServedApp> {
    const server = createServer(staticFiles(inject("app")));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
    return new ServedApp(server, browser);
  }

  /** A browser that was never there before. Its pages have one engine between them. */
  newVisitor(): Promise<BrowserContext> {
    return this.browser.newContext();
  }

  /** Opens a place in the app, such as `#/files`, in a tab of its own. */
  async open(visitor: BrowserContext, place: string): Promise<Page> {
    const page = await visitor.newPage();
    page.setDefaultTimeout(12_000);
    page.on("console", (message) => {
      if (message.type() === "error") this.problems.push(`${place}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.problems.push(`${place}: ${String(error)}`));
    await page.goto(this.address + place);
    return page;
  }

  /** Bytes of memory that the browser's processes have for themselves, as Linux counts them. */
  async memory(): Promise<number> {
    const session = await this.browser.newBrowserCDPSession();
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    const sizes = processInfo.map(({ id }) => {
      const [, kilobytes = "0"] =
        /^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${id}/status`, "utf8")) ?? [];
      return 1024 * Number(kilobytes);
    });
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  async stop(): Promise<void> {
    await this.browser.close();
    await new Promise((resolve) => this.server.close(resolve));
  }
}
