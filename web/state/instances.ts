/**
 * The instances that this page knows, and whether it is signed in there. What talks to them is loaded when it is first
 * needed.
 *
 * A token is kept in memory. One for an instance elsewhere may be kept by the browser for this tab (`sessionStorage`),
 * which code of workflows can't read, since it runs in workers. With the instance that the page was loaded from, the
 * token is changed for a session: a cookie that no script reads, and a key without which it does not count, which pages
 * of this site keep (`localStorage`) until they sign out.
 *
 * @module
 */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Me, RepoSummary } from "../../src/server/api-types.ts";
import { givenToken, useUpToken } from "./given-token.ts";
import { HERE, instanceOf, type Place, urlOf } from "./place.ts";
import { readSetting, writeSetting } from "./settings.ts";

/** How it stands with an instance. */
export interface Instance {
  /** As addresses name it. */
  readonly id: string;
  readonly phase:
    | "signed-out"
    | "connecting"
    | "ready"
    /** It does not answer, and is asked again. */
    | "away";
  /** Why it is not ready. */
  readonly error?: unknown;
  readonly version?: string;
  /** Since when it is in reach, in milliseconds since the epoch. */
  readonly since?: number;
  readonly me?: Me;
  readonly repos?: readonly RepoSummary[];
}

const known = signal<ReadonlyMap<string, Instance>>(new Map());

/** By their ids. */
export const instances: ReadonlySignal<ReadonlyMap<string, Instance>> = known;

/** An instance by its id. One that was never heard of is signed out. */
export function instanceState(id: string): Instance {
  return known.value.get(id) ?? { id, phase: "signed-out" };
}

/** Says that nobody is signed in any more, and why. */
export function setSignedOut(id: string, error?: unknown): void {
  const { version } = instanceState(id);
  setInstance({
    id,
    phase: "signed-out",
    ...(version && { version }),
    ...(error !== undefined && { error }),
  });
}

/** Says that somebody is being signed in. */
function setConnecting(id: string): void {
  const { version } = instanceState(id);
  setInstance({ id, phase: "connecting", ...(version && { version }) });
}

/** Notes how it stands with an instance now. */
export function setInstance(instance: Instance): void {
  known.value = new Map(known.value).set(instance.id, instance);
}

/** Forgets an instance. */
export function removeInstance(id: string): void {
  const rest = new Map(known.value);
  rest.delete(id);
  known.value = rest;
}

/** Those that can be used now, with their repositories. */
export function usablePlaces(): Extract<Place, { kind: "instance" }>[] {
  return [...known.value.values()].flatMap(({ id, phase, repos = [] }) =>
    phase === "ready"
      ? repos.map(({ name }) => ({ kind: "instance" as const, instance: id, repo: name }))
      : [],
  );
}

/** Whether somebody may run, cancel and push at a place. */
export function mayRun(at: Place): boolean {
  return at.kind === "tab" || (instanceState(at.instance).me?.role ?? "viewer") !== "viewer";
}

const SESSION = "session";
const KEPT = "redun.instances";

/** The key of the session with the instance that the page was loaded from. */
export const keptSession = (): string | undefined => readSetting(SESSION);
/** Keeps it, or forgets it. */
export const keepSession = (key: string | undefined): void => writeSetting(SESSION, key);

/** Tokens for instances elsewhere that this tab keeps, by their ids. */
function keptTokens(): Readonly<Record<string, string>> {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(KEPT) ?? "{}");
    return Object.fromEntries(
      Object.entries(found as object).filter(
        ([id, token]) => instanceOf(id) === id && typeof token === "string",
      ),
    ) as Record<string, string>;
  } catch {
    return {};
  }
}

/** Keeps a token for this tab, or forgets it. */
export function keepToken(id: string, token: string | undefined): void {
  const { [id]: _, ...others } = keptTokens();
  const tokens = token === undefined ? others : { ...others, [id]: token };
  try {
    if (Object.keys(tokens).length === 0) sessionStorage.removeItem(KEPT);
    else sessionStorage.setItem(KEPT, JSON.stringify(tokens));
  } catch {
    // Then it is asked for again.
  }
}

/** Signs in by a link, which somebody else may have made so that one works in his name unawares. */
async function signInByLink(token: string): Promise<void> {
  if (keptSession() !== undefined && instanceState(HERE).phase !== "ready") await reconnect(HERE, undefined);
  if (instanceState(HERE).phase !== "ready" || confirm(OTHER_TOKEN)) await signIn(HERE, token, false);
}

const OTHER_TOKEN =
  "You are signed in to this instance already. Sign in with the token of this link instead? What you run and push is then done with it.";

const load = (): Promise<typeof import("../remote/connections.ts")> => import("../remote/connections.ts");

/** Finds out what instances there are, and goes on where the page is signed in. Called once. */
export async function findInstances(): Promise<void> {
  for (const [id, token] of Object.entries(keptTokens())) void reconnect(id, token);
  givenToken.subscribe((token) => {
    if (token !== undefined) void signInByLink(useUpToken()!);
  });
  if (known.value.has(HERE)) return;
  if (keptSession() !== undefined) return reconnect(HERE, undefined);
  const version = await versionHere();
  // Somebody may have signed in meanwhile.
  if (version !== undefined && !known.value.has(HERE))
    setInstance({ id: HERE, phase: "signed-out", version });
}

async function reconnect(id: string, token: string | undefined): Promise<void> {
  setConnecting(id);
  await (await load()).reconnect(id, token);
}

/** Version of the instance that this page was loaded from. Static files have an answer of their own for this. */
async function versionHere(): Promise<string | undefined> {
  if (!navigator.onLine) return undefined;
  try {
    const response = await fetch(`${urlOf(HERE)}/api/v1/health`, { cache: "no-store" });
    const { status, version } = (await response.json()) as { status?: unknown; version?: unknown };
    return status === "ok" && typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Signs in. What comes of it shows in {@link instances}.
 *
 * @param isKept - whether this tab keeps a token for an instance elsewhere
 */
export async function signIn(id: string, token: string, isKept: boolean): Promise<void> {
  setConnecting(id);
  await (await load()).signIn(id, token, isKept);
}

/** Signs out, and forgets the token. */
export async function signOut(id: string): Promise<void> {
  await (await load()).signOut(id);
}
