/** Components whose code is loaded when they are first shown. */
import type { FunctionComponent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorNotice } from "./basics.tsx";

/** A component that loads another one and then stands for it. */
export function lazy<Props extends object>(
  load: () => Promise<FunctionComponent<Props>>,
): FunctionComponent<Props> {
  let loaded: FunctionComponent<Props> | undefined;
  return function Lazy(props: Props) {
    const [, update] = useState(0);
    const [error, setError] = useState<unknown>(undefined);
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then((component) => {
        loaded = component;
        update((n) => n + 1);
      }, setError);
    }, []);
    if (error !== undefined)
      return (
        <div class="load-failure">
          <ErrorNotice error={error} title="This part of the app could not be loaded." />
          <button type="button" class="button" onClick={() => location.reload()}>
            Load the page again
          </button>
        </div>
      );
    if (loaded === undefined)
      return (
        <p class="loading" role="status">
          Loading…
        </p>
      );
    const Component = loaded;
    return <Component {...props} />;
  };
}
