/** Says where one works, always in sight, and leads elsewhere. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { engineState } from "../state/engine.ts";
import { type Instance, instances } from "../state/instances.ts";
import { HERE, hostOf, type Place, placeKey, TAB } from "../state/place.ts";
import { address, place, route } from "../state/router.ts";
import { Icon } from "./icons.tsx";

/** A place in words. */
export function placeText(at: Place): string {
  return at.kind === "tab" ? "This tab" : `${at.repo} on ${hostOf(at.instance)}`;
}

const MENU = "places";

/** The mark, a button that opens the menu of places. */
export function PlaceMark(): JSX.Element {
  const menu = useRef<HTMLDivElement>(null);
  const at = place.value;
  const to = route.value;
  // Whoever has gone somewhere needs the menu no more.
  useEffect(() => menu.current?.hidePopover(), [to]);
  return (
    <div class="place">
      <button
        type="button"
        class={`place-mark ${at.kind}`}
        popovertarget={MENU}
        aria-label={`${placeText(at)}: where you work`}
        title={at.kind === "tab" ? tabTitle() : `You work in the repository ${placeText(at)}`}
      >
        <Icon name={at.kind === "tab" ? "system" : "server"} />
        {at.kind === "tab" ? (
          <TabState />
        ) : (
          <span class="place-name">
            {at.repo}
            <span class="wide-only"> on {hostOf(at.instance)}</span>
          </span>
        )}
        <Icon name="chevron" class="down" />
      </button>
      <div ref={menu} id={MENU} class="place-menu" popover="auto">
        <nav aria-label="Places">
          <PlaceLink to={TAB}>This tab</PlaceLink>
          {[...instances.value.values()].map((instance) => (
            <InstancePlaces key={instance.id} instance={instance} />
          ))}
          <a href={address(["instances"])}>Connect to an instance…</a>
        </nav>
      </div>
    </div>
  );
}

function TabState(): JSX.Element {
  const state = engineState.value;
  return (
    <span class={`place-name ${state.phase}`}>{state.phase === "failed" ? "No engine" : "This tab"}</span>
  );
}

function tabTitle(): string {
  const state = engineState.value;
  if (state.phase !== "ready") return "You work in this tab";
  const { store, workers, repo } = state.info;
  const kept = store === "opfs" ? "SQLite" : "IndexedDB";
  return `You work in this tab: repository ${repo}, kept in this browser (${kept}), up to ${workers} jobs at once`;
}

function InstancePlaces({ instance: { id, phase, repos = [] } }: { instance: Instance }): JSX.Element | null {
  // Static files come from no instance.
  if (id === HERE && phase === "signed-out" && instances.value.get(id)?.version === undefined) return null;
  return (
    <div class="place-group">
      <a class="place-host" href={address(["instances", id])}>
        {hostOf(id)}
        <span class="muted">{STATES[phase]}</span>
      </a>
      {phase === "ready" &&
        repos.map(({ name }) => (
          <PlaceLink key={name} to={{ kind: "instance", instance: id, repo: name }}>
            {name}
          </PlaceLink>
        ))}
    </div>
  );
}

const STATES: Readonly<Record<Instance["phase"], string>> = {
  "signed-out": "sign in",
  connecting: "connecting…",
  away: "does not answer",
  ready: "overview",
};

/** Views that are everywhere; others are of one place. */
const COMMON: ReadonlySet<string | undefined> = new Set(["workflow", "executions", "files"]);

function PlaceLink({ to, children }: { to: Place; children: string }): JSX.Element {
  const view = route.value.path[0] ?? "workflow";
  return (
    <a
      href={address([COMMON.has(view) ? view : "executions"], {}, to)}
      aria-current={placeKey(to) === placeKey(place.value) ? "true" : undefined}
    >
      {children}
    </a>
  );
}
