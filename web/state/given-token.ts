/**
 * A token that came with a link to an instance, `#token=…`. It is taken out of the address before anything else looks
 * at it, and is nowhere but in memory.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";

const given = signal<string | undefined>(undefined);

/** The token, until somebody has signed in with it. */
export const givenToken: ReadonlySignal<string | undefined> = given;

/** Takes a token out of the address, if there is one. */
export function takeToken(): void {
  const [, token] = /^#\/?token=([^&]*)$/.exec(location.hash) ?? [];
  if (token === undefined) return;
  history.replaceState(null, "", `${location.pathname}${location.search}#/instances/here`);
  given.value = token;
}

/** Forgets it. @returns what it was */
export function useUpToken(): string | undefined {
  const token = given.value;
  given.value = undefined;
  return token;
}

takeToken();
