/** Where the app is, kept in the fragment of its address. */
import { batch, type ReadonlySignal, signal } from "@preact/signals";
import { takeToken } from "./given-token.ts";
import { instanceOf, type Place, placeKey, placeParts, TAB } from "./place.ts";

/** An address in the app: the parts of its path, and what else it says. */
export interface Route {
  /** Decoded. The first names the view. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

/** Views that are of no one place: where one works stays what it was. */
const EVERYWHERE: ReadonlySet<string | undefined> = new Set(["instances", "share"]);

const current = signal<Route>({ path: [], query: new URLSearchParams() });
const currentPlace = signal<Place>(TAB);

/** Where in the app one is. */
export const route: ReadonlySignal<Route> = current;

/** Where one works: whose executions, values and tasks are shown. The same object as long as it is the same place. */
export const place: ReadonlySignal<Place> = currentPlace;

addEventListener("hashchange", () => {
  takeToken();
  goTo(location.hash);
});
goTo(location.hash);

function goTo(fragment: string): void {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  const parts = path.split("/").filter(Boolean).map(decodePart);
  const found = placeOf(parts);
  batch(() => {
    current.value = { path: found?.rest ?? parts, query: new URLSearchParams(query) };
    if (EVERYWHERE.has(parts[0])) return;
    const next = found?.place ?? TAB;
    if (placeKey(next) !== placeKey(currentPlace.value)) currentPlace.value = next;
  });
}

/** The place at the beginning of a path, `at/INSTANCE/REPO/…`, and what follows it. */
function placeOf([first, id = "", repo = "", ...rest]: readonly string[]):
  | { readonly place: Place; readonly rest: readonly string[] }
  | undefined {
  const instance = first === "at" ? instanceOf(id) : undefined;
  if (instance === undefined || repo === "") return undefined;
  return { place: { kind: "instance", instance, repo }, rest };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a view, for links. What is undefined or empty is left out. @param at - by default where one is now */
export function address(
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
  at?: Place,
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") search.set(name, String(value));
  const text = search.toString();
  const parts = EVERYWHERE.has(path[0]) ? path : [...placeParts(at ?? place.value), ...path];
  return `#/${parts.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** Goes to an address. */
export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) {
    history.replaceState(null, "", to);
    goTo(to);
  } else location.hash = to;
}
