/** What a token or a session is known by, and its secret; only a hash of the secret is kept. */
export interface Secret {
  /** 16 hex digits. */
  readonly id: string;
  /** SHA-256 of the secret, 64 hex digits. */
  readonly hash: string;
  /** The whole text that its owner keeps. */
  readonly text: string;
}

const hex = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

async function sha256(text: string): Promise<string> {
  return hex(new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text))));
}

/** Makes a secret of 256 random bits. @param prefix - says what it is for, so that scanners for leaked secrets find it */
export async function makeSecret(prefix: string): Promise<Secret> {
  const id = hex(crypto.getRandomValues(new Uint8Array(8)));
  const secret = hex(crypto.getRandomValues(new Uint8Array(32)));
  return { id, hash: await sha256(secret), text: `${prefix}_${id}_${secret}` };
}

/** The parts of a secret's text. @returns nothing if it is malformed */
export function readSecret(prefix: string, text: string): { id: string; secret: string } | undefined {
  const match = /^([a-z]+)_([0-9a-f]{16})_([0-9a-f]{64})$/.exec(text);
  return match === null || match[1] !== prefix ? undefined : { id: match[2]!, secret: match[3]! };
}

/**
 * What a page must send along with its session's cookie. Code of workflows that runs in a tab is of the same origin as
 * the app: its requests carry the cookie as well, but it can't read this where pages keep it.
 */
export function sessionKey(session: string): Promise<string> {
  return sha256(keyText(session));
}

/** Whether a key is that of a session. */
export function matchesSession(key: string, session: string): Promise<boolean> {
  return matchesHash(keyText(session), key);
}

const keyText = (session: string): string => `key of ${session}`;

/** Whether a secret has a hash. It takes as long for a wrong one as for a right one. */
export async function matchesHash(secret: string, hash: string): Promise<boolean> {
  const actual = await sha256(secret);
  let difference = actual.length ^ hash.length;
  for (let i = 0; i < actual.length; i++) difference |= actual.charCodeAt(i) ^ hash.charCodeAt(i);
  return difference === 0;
}
