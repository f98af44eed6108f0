/** Where the app is, kept in the fragment of its address. */
import { computed, type ReadonlySignal, signal } from "@preact/signals";

/** A place in the app: the parts of its path, and what else its address says. */
export interface Route {
  /** Decoded. The first names the view. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

/** The current place. */
export const route: ReadonlySignal<Route> = computed(() => parseRoute(hash.value));

function parseRoute(fragment: string): Route {
  const [path = "", query = ""] = fragment.replace(/^#\/?/, "").split("?", 2);
  return { path: path.split("/").filter(Boolean).map(decodePart), query: new URLSearchParams(query) };
}

function decodePart(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** The address of a place, for links. What is undefined or empty is left out. */
export function address(
  path: readonly string[],
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== "") search.set(name, String(value));
  const text = search.toString();
  return `#/${path.map(encodeURIComponent).join("/")}${text === "" ? "" : `?${text}`}`;
}

/** Goes to an address. */
export function navigate(to: string, options: { readonly replace?: boolean } = {}): void {
  if (options.replace) {
    history.replaceState(null, "", to);
    hash.value = to;
  } else location.hash = to;
}
