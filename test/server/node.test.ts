import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openConfig } from "../../src/cli/config-dir.ts";
import { startServer } from "../../src/cli/server/start-server.ts";
import { describeApi, SETTINGS } from "./api-suite.ts";

/** What a Worker's variable is called in `redun.ini`. */
const nameOf = (variable: string): string => variable.replace("REDUN_", "").toLowerCase();

describeApi("a server on this machine", async () => {
  const folder = mkdtempSync(join(tmpdir(), "redun-server-"));
  const dir = join(folder, ".redun");
  const settings = Object.entries(SETTINGS).map(([name, value]) => [nameOf(name), value]);
  const config = openConfig({ dir, source: "default" }).with({ server: Object.fromEntries(settings) });
  const problems: string[] = [];
  const server = await startServer({
    dir,
    config,
    version: "test",
    port: 0,
    warn: (text) => problems.push(text),
  });
  return {
    url: server.url,
    adminToken: server.firstToken!,
    async close() {
      await server.close();
      rmSync(folder, { recursive: true });
      if (problems.length > 0) throw new Error(problems.join("\n"));
    },
  };
});
