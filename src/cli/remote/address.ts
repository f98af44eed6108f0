import { UsageError } from "../client-error.ts";

/** A repository on a server. */
export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  /** Name of the repository, if the address says one. */
  readonly repo: string | undefined;
}

/** Name of the repository that is meant where none is named. */
export const DEFAULT_REPO = "default";

/**
 * Reads the address of a server: `https://host`, with `#repo` or, unless it is the server's own path that is given,
 * `/repo` for one of its repositories.
 *
 * @param pathIsRepo - whether the last part of a path is the name of a repository; with `#` it never is
 * @throws UsageError which never shows a password
 */
export function parseAddress(text: string, pathIsRepo = true): ServerAddress {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`Cannot use ${hideCredentials(text)} as a server: it is not an address`, {
      hint: "An address is like https://redun.example.org.",
    });
  }
  if (url.protocol !== "http:" && url.protocol !== "https:") {
    throw new UsageError(`Cannot use ${hideCredentials(text)} as a server: it is neither http nor https`);
  }
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(`Cannot use ${url.origin} with a password in the address`, {
      hint: `Give its token with: redun login ${url.origin}`,
    });
  }
  const parts = url.pathname.split("/").filter(Boolean);
  let repo = url.hash === "" ? undefined : decode(url.hash.slice(1));
  if (repo === undefined && pathIsRepo && !text.includes("#")) repo = decode(parts.pop());
  return { url: [url.origin, ...parts].join("/"), repo: repo === "" ? undefined : repo };
}

/** The address as people write it, of which {@link parseAddress} makes the same. */
export function formatAddress({ url, repo = DEFAULT_REPO }: ServerAddress): string {
  // The end of a path would be taken for a repository.
  return repo === DEFAULT_REPO && new URL(url).pathname === "/" ? url : `${url}#${encodeURIComponent(repo)}`;
}

/** Whether a word is meant to be the address of a server. */
export function looksLikeAddress(word: string): boolean {
  return /^https?:\/\//i.test(word);
}

function decode(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const hideCredentials = (text: string): string => text.replace(/\/\/[^/@]*@/, "//");
