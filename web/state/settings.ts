/** Small things that a browser remembers for the app. A browser that remembers nothing is no error. */
const PREFIX = "redun.";

/** What was written under a name. */
export function readSetting(name: string): string | undefined {
  try {
    return localStorage.getItem(PREFIX + name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Remembers a text under a name, or forgets it. */
export function writeSetting(name: string, text: string | undefined): void {
  try {
    if (text === undefined) localStorage.removeItem(PREFIX + name);
    else localStorage.setItem(PREFIX + name, text);
  } catch {
    // The storage is full or forbidden, and the app works without it.
  }
}
