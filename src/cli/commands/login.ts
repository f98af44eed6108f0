import { hasCode } from "../../errors/redun-error.ts";
import type { Me } from "../../server/api-types.ts";
import { createClient, ServerError } from "../../server/client.ts";
import { isLoopback } from "../../util/loopback.ts";
import type { Cli } from "../cli.ts";
import { EXIT, RedunClientError, suggestion, UsageError } from "../client-error.ts";
import { parseAddress } from "../remote/address.ts";
import { checkServer } from "../remote/connect.ts";
import { forgetToken, isToken, storedServers, storeToken } from "../remote/tokens.ts";
import { Exit } from "../report.ts";

/** `redun login URL` */
export async function login(cli: Cli, words: string[], options: Record<string, unknown>): Promise<void> {
  const { output } = cli;
  const url = addressOf("login", words);
  const given = options.token as string | undefined;
  // The token is on the command line, which other programs can see.
  if (given !== undefined) process.title = "redun login";
  if (new URL(url).protocol === "http:" && !isLoopback(new URL(url).hostname))
    output.log(`The connection to ${url} is not encrypted: others on the way can read the token.`, "WARN");
  await checkServer(createClient(url)).catch((error: unknown) => {
    throw withoutPath(url, error);
  });
  const token = (given ?? (await readToken(cli, url))).trim();
  if (!isToken(token))
    throw new UsageError("Cannot sign in: what was given is not a token", { hint: "A token is one word." });
  const me = await askWhoIAm(url, token);
  storeToken(url, token);
  output.log(`Signed in to ${url} as ${me.name}, with the role ${me.role}${repoText(me)}.`);
}

/** `redun logout URL` */
export function logout(cli: Cli, words: string[]): Promise<void> {
  const url = addressOf("logout", words);
  if (!forgetToken(url)) {
    throw new RedunClientError(`Cannot sign out of ${url}: there is no token for it`, {
      hint: suggestion(url, storedServers(), "There are tokens for"),
    });
  }
  cli.output.log(`Signed out of ${url}. The token stays valid until an administrator takes it back.`);
  return Promise.resolve();
}

function addressOf(command: string, words: readonly string[]): string {
  const [word, ...rest] = words;
  if (word === undefined || rest.length > 0)
    throw new UsageError(`Which server? Usage: redun ${command} URL`);
  return parseAddress(word, false).url;
}

/** What is told of an address with a path that is no server's: there the path may be meant for a repository. */
function withoutPath(url: string, error: unknown): unknown {
  const { origin, pathname } = new URL(url);
  if (pathname === "/" || !hasCode(error, "http")) return error;
  return new RedunClientError(`Cannot sign in to ${url}: there is no redun server at this address`, {
    hint: `A token is for a whole server. Did you mean: redun login ${origin}`,
    cause: error,
  });
}

async function askWhoIAm(url: string, token: string): Promise<Me> {
  try {
    return await createClient(url, { token }).me();
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== "unauthorized") throw error;
    throw new RedunClientError(`Cannot sign in to ${url}: the token is unknown or over`, {
      hint: "Ask an administrator of the server for one; its operator makes one with: redun server token",
      cause: error,
    });
  }
}

function repoText({ repos }: Me): string {
  if (repos === null) return "";
  return `, for ${repos.length === 0 ? "no repository" : repos.join(", ")}`;
}

async function readToken({ output }: Cli, url: string): Promise<string> {
  if (process.stdin.isTTY) return askSecretly(output, `Token for ${url}: `);
  let text = "";
  for await (const chunk of process.stdin) text += String(chunk);
  if (text.trim() === "") {
    throw new UsageError("Cannot sign in: there is no token", {
      hint: "Give it on stdin, with --token, or at a terminal.",
    });
  }
  return text;
}

const [ENTER, NEWLINE, INTERRUPT, END, BACKSPACE, DELETE] = ["\r", "\n", "\x03", "\x04", "\b", "\x7f"];

/** Asks for a line at the terminal that is not shown while it is typed. */
function askSecretly(output: Cli["output"], question: string): Promise<string> {
  const { stdin, stderr } = process;
  output.flush();
  stderr.write(question);
  stdin.setRawMode(true);
  stdin.setEncoding("utf8");
  return new Promise((resolve, reject) => {
    let typed = "";
    const end = (): void => {
      stdin.setRawMode(false);
      stdin.pause();
      stdin.off("data", read);
      stderr.write("\n");
    };
    const read = (text: string): void => {
      for (const char of text) {
        if (char === BACKSPACE || char === DELETE) typed = typed.slice(0, -1);
        else if (char >= " ") typed += char;
        else if (char === INTERRUPT || char === ENTER || char === NEWLINE || char === END) {
          end();
          if (char === INTERRUPT) reject(new Exit(EXIT.interrupted));
          else resolve(typed);
          break;
        }
      }
    };
    stdin.on("data", read);
  });
}
