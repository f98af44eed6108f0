/** Something that is fetched when its key changes. */
import { useEffect, useState } from "preact/hooks";

/** How far a fetch has come. */
export type Resource<T> =
  | { readonly phase: "loading"; readonly value?: undefined; readonly error?: undefined }
  | { readonly phase: "ready"; readonly value: T; readonly error?: undefined }
  | { readonly phase: "failed"; readonly value?: undefined; readonly error: unknown };

/**
 * Fetches when a component is first shown, and again when the key changes. What comes late, for an earlier key, is
 * dropped; what was fetched for an earlier key is shown until the next has come if `keep` says so.
 */
export function useResource<T>(
  key: string,
  fetch: () => Promise<T>,
  options: { readonly keep?: boolean } = {},
): Resource<T> {
  const [state, setState] = useState<{ key: string; resource: Resource<T> }>({
    key,
    resource: { phase: "loading" },
  });
  useEffect(() => {
    let isCurrent = true;
    const set = (resource: Resource<T>): void => {
      if (isCurrent) setState({ key, resource });
    };
    fetch().then(
      (value) => set({ phase: "ready", value }),
      (error: unknown) => set({ phase: "failed", error }),
    );
    return () => {
      isCurrent = false;
    };
  }, [key]);
  return state.key === key || options.keep ? state.resource : { phase: "loading" };
}
