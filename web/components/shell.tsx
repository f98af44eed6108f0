/** The frame of all views: where one can go, and how the engine is. */
import type { ComponentChildren, JSX } from "preact";
import { engineState } from "../state/engine.ts";
import { address, place, route } from "../state/router.ts";
import { nextTheme, type Theme, theme } from "../state/theme.ts";
import { ErrorNotice } from "./basics.tsx";
import { Icon, type IconName } from "./icons.tsx";
import { PlaceMark } from "./place-mark.tsx";

const PLACES = [
  { view: "workflow", title: "Workflow" },
  { view: "executions", title: "Executions" },
  { view: "files", title: "Files" },
] as const;

const THEME_ICONS: Readonly<Record<Theme, IconName>> = { system: "system", light: "sun", dark: "moon" };
const THEME_NAMES: Readonly<Record<Theme, string>> = {
  system: "as the system",
  light: "light",
  dark: "dark",
};

/** The frame, with a view in it. */
export function Shell({ children }: { children: ComponentChildren }): JSX.Element {
  const view = route.value.path[0] ?? "workflow";
  return (
    <>
      <button type="button" class="skip-link" onClick={() => document.getElementById("main")?.focus()}>
        Skip to content
      </button>
      <header class="topbar">
        <a class="brand" href={address(["workflow"])}>
          <img src="icons/icon.svg" alt="" width="20" height="20" />
          redun
        </a>
        <nav aria-label="Main">
          {PLACES.map((place) => (
            <a
              key={place.view}
              href={address([place.view])}
              aria-current={
                place.view === view || (place.view === "executions" && view === "compare")
                  ? "page"
                  : undefined
              }
            >
              {place.title}
            </a>
          ))}
        </nav>
        <PlaceMark />
        <button
          type="button"
          class="icon-button"
          onClick={nextTheme}
          aria-label={`Colours: ${THEME_NAMES[theme.value]}`}
          title={`Colours: ${THEME_NAMES[theme.value]}`}
        >
          <Icon name={THEME_ICONS[theme.value]} />
        </button>
      </header>
      <main id="main" tabIndex={-1}>
        <EngineFailure />
        {children}
      </main>
    </>
  );
}

/** Without an engine there is little to do but to say why. */
function EngineFailure(): JSX.Element | null {
  const state = engineState.value;
  if (state.phase !== "failed" || place.value.kind !== "tab") return null;
  return (
    <div class="engine-failure">
      <ErrorNotice title="The engine could not start" error={state.message} />
      <button type="button" class="button" onClick={() => location.reload()}>
        <Icon name="reset" /> Load the page again
      </button>
    </div>
  );
}
