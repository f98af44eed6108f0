import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { RedunClientError } from "../client-error.ts";

/** What the file of tokens holds: a token for each server, by the server's address. */
interface Servers {
  readonly version: 1;
  readonly servers: Readonly<Record<string, { readonly token: string }>>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** The file in the user's own configuration that holds the tokens of servers. */
export function tokenFile(env: Environment = process.env, platform: string = process.platform): string {
  return join(userConfigDir(env, platform), "redun", "servers.json");
}

function userConfigDir(env: Environment, platform: string): string {
  if (env.XDG_CONFIG_HOME) return env.XDG_CONFIG_HOME;
  const home = env.HOME || homedir();
  if (platform === "win32") return env.APPDATA || join(home, "AppData", "Roaming");
  return platform === "darwin" ? join(home, "Library", "Application Support") : join(home, ".config");
}

/**
 * The token for a server: that of the environment, else the one that is stored.
 *
 * @throws RedunClientError if that of the environment is none
 */
export function tokenFor(url: string, env: Environment = process.env): string | undefined {
  const token = env.REDUN_TOKEN?.trim();
  if (!token) return storedToken(url, env);
  if (isToken(token)) return token;
  throw new RedunClientError("Cannot use REDUN_TOKEN: it is not a token", { hint: "A token is one word." });
}

/** Whether a text may be sent as a token. Of another the error that sending it ends with would tell it. */
export const isToken = (text: string): boolean => /^[\x21-\x7e]+$/.test(text);

/** @throws RedunClientError if others may read the file */
function storedToken(url: string, env: Environment = process.env): string | undefined {
  const { servers } = readServers(tokenFile(env));
  return Object.hasOwn(servers, url) ? servers[url]!.token : undefined;
}

/** Addresses of the servers that there are tokens for. */
export function storedServers(env: Environment = process.env): string[] {
  return Object.keys(readServers(tokenFile(env)).servers).sort();
}

export function storeToken(url: string, token: string, env: Environment = process.env): void {
  const file = tokenFile(env);
  const { servers } = readServers(file);
  writeServers(file, { version: 1, servers: { ...servers, [url]: { token } } });
}

/** @returns whether there was one */
export function forgetToken(url: string, env: Environment = process.env): boolean {
  const file = tokenFile(env);
  const { servers } = readServers(file);
  if (!Object.hasOwn(servers, url)) return false;
  const { [url]: _, ...others } = servers;
  if (Object.keys(others).length === 0) rmSync(file);
  else writeServers(file, { version: 1, servers: others });
  return true;
}

function readServers(file: string): Servers {
  const stat = statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return { version: 1, servers: {} };
  const stranger = process.getuid !== undefined && stat.uid !== process.getuid();
  if (!stat.isFile() || stranger) {
    throw new RedunClientError(`Cannot use the tokens in ${file}: it is not a file of your own`, {
      hint: "Remove it, and sign in again with: redun login URL",
    });
  }
  if (process.platform !== "win32" && (stat.mode & 0o077) !== 0) {
    throw new RedunClientError(`Cannot use the tokens in ${file}: others may read it`, {
      hint: `Keep it to yourself with: chmod 600 ${file}`,
    });
  }
  try {
    const content = JSON.parse(readFileSync(file, "utf8")) as Servers;
    const tokens = Object.values(content.servers).map(({ token }) => token);
    if (content.version === 1 && tokens.every((token) => typeof token === "string")) return content;
  } catch {
    // Told below, without the file's content.
  }
  throw new RedunClientError(`Cannot read the tokens in ${file}: it is damaged, or of another version`, {
    hint: "Remove it, and sign in again with: redun login URL",
  });
}

function writeServers(file: string, content: Servers): void {
  const folder = dirname(file);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  const temporary = `${file}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  // Nobody else can open it at any time.
  writeFileSync(temporary, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600, flag: "wx" });
  renameSync(temporary, file);
}
