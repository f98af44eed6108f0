/** Says where a run takes place, and what leaves the machine for it. */
import type { JSX } from "preact";
import { mayRun } from "../state/instances.ts";
import { hostOf } from "../state/place.ts";
import { place } from "../state/router.ts";
import { Icon } from "./icons.tsx";

/** The button that begins a run. */
export function RunButton({
  isDisabled,
  isStarting,
  isDry,
}: {
  isDisabled: boolean;
  isStarting: boolean;
  isDry: boolean;
}): JSX.Element {
  const at = place.value;
  const verb = isDry ? "Dry run" : "Run";
  const text = at.kind === "tab" ? verb : isStarting ? "Sending…" : `${verb} on ${at.repo}`;
  return (
    <button
      type="submit"
      class="button primary"
      disabled={isDisabled || isStarting || !mayRun(at)}
      aria-describedby="run-place"
    >
      <Icon name="play" /> {text}
    </button>
  );
}

/** What the button is about. */
export function RunNote(): JSX.Element {
  const at = place.value;
  return (
    <p id="run-place" class="hint">
      {at.kind === "tab"
        ? "Runs in this tab. Nothing leaves it but what the workflow itself sends."
        : mayRun(at)
          ? `Runs on ${hostOf(at.instance)}. The source of the workflow, the arguments and files among them are sent there.`
          : "Your token may only read there. It takes the role runner to run."}
    </p>
  );
}
