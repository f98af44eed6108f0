import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RequestLog } from "../../server/app.ts";
import { ROLES, type Role } from "../../server/directory.ts";
import { type Cli, openRepoConfig } from "../cli.ts";
import { UsageError } from "../client-error.ts";
import { openDirectory } from "../server/repositories.ts";
import { startServer } from "../server/start-server.ts";
import { version } from "../version.ts";

/** `redun server` */
export async function server(cli: Cli, _words: string[], options: Record<string, unknown>): Promise<void> {
  const { output } = cli;
  const { dir, config } = openRepoConfig(cli);
  const assets = findAssets();
  if (assets === undefined)
    output.log("The web app is not built (npm run build:web), so only the API is served.", "WARN");
  const running = await startServer({
    dir,
    config,
    version: version(),
    host: options.host as string | undefined,
    port: readPort(options.port),
    publicUrl: options.publicUrl as string | undefined,
    maxWorkers: readWorkers(options.workers),
    corsOrigins: options.corsOrigin as string[] | undefined,
    assets,
    log: (line) => output.log(requestText(line), line.status >= 500 ? "ERROR" : "DEBUG"),
    warn: (message) => output.log(message, "WARN"),
  });
  const { url, publicUrl, firstToken } = running;
  output.log(`redun :: version ${version()} serves ${dir} at ${url}`);
  if (firstToken !== undefined) {
    output.log(`Token of an administrator, shown this once: ${firstToken}`);
    output.log(`Sign in by opening ${publicUrl}/#token=${firstToken}`);
  } else {
    output.log("Another token is made with: redun server token --name NAME");
  }
  output.log("Ctrl-C ends it; executions that have not ended go on when it starts again.");
  await new Promise<void>((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
  output.log("Ending.");
  await running.close();
}

/** `redun server token` */
export async function serverToken(
  cli: Cli,
  _words: string[],
  options: Record<string, unknown>,
): Promise<void> {
  const { dir } = openRepoConfig(cli);
  const { name, role, repo, days } = options as {
    name: string;
    role: string;
    repo?: string[];
    days?: string;
  };
  if (!(ROLES as readonly string[]).includes(role))
    throw new UsageError(`Unknown role ${role}`, { hint: `Roles: ${ROLES.join(", ")}.` });
  if (name.trim() === "") throw new UsageError("--name must not be empty");
  const lasting = days === undefined ? undefined : Number(days);
  if (lasting !== undefined && !(lasting > 0))
    throw new UsageError(`--days must be a number above 0, not ${days}`);
  const { directory, db } = await openDirectory(dir);
  try {
    const { token } = await directory.createToken({
      name,
      role: role as Role,
      repos: repo ?? null,
      expires: lasting === undefined ? null : Date.now() + lasting * 86_400_000,
    });
    cli.output.print(token);
  } finally {
    db.close();
  }
}

/** The built app: beside the built command, or where the build puts it. */
function findAssets(): string | undefined {
  const here = dirname(fileURLToPath(import.meta.url));
  const places = [join(here, "web"), join(here, "../../../dist/web")];
  return places.find((place) => existsSync(join(place, "index.html")));
}

/** A line of the log; those of an error's stack are indented, so that none of them looks like another's. */
export function requestText({ method, path, status, duration, user, error }: RequestLog): string {
  const line = `${method} ${path} ${status} ${duration} ms${user === undefined ? "" : ` ${user}`}`;
  return error === undefined ? line : `${line}\n${error}`.replaceAll("\n", "\n    ");
}

function readPort(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`--port must be 0 to 65535, not ${text}`);
  return port;
}

function readWorkers(text: unknown): number | undefined {
  if (text === undefined) return undefined;
  const workers = Number(text);
  if (!Number.isInteger(workers) || workers < 1)
    throw new UsageError(`--workers must be a whole number above 0, not ${text}`);
  return workers;
}
