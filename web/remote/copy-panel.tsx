/** Pushes executions of this tab to an instance, or pulls an instance's into this tab. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ErrorNotice } from "../components/basics.tsx";
import { Icon } from "../components/icons.tsx";
import { placeText } from "../components/place-mark.tsx";
import { count, plural } from "../lib/format.ts";
import { mayRun, usablePlaces } from "../state/instances.ts";
import { placeKey, TAB } from "../state/place.ts";
import { address, place } from "../state/router.ts";
import { type Copy, type CopyOrder, copy, dismissCopy, startCopy, stopCopy } from "./copies.ts";

/** The panel. @param ids - executions, or all */
export function CopyPanel({ ids }: { ids?: readonly string[] | undefined }): JSX.Element {
  const at = place.value;
  return (
    <div class="copy-panel">
      {at.kind === "tab" ? <Push ids={ids} /> : <Start order={{ direction: "pull", at, ids }} />}
      {copy.value !== undefined && <Progress copy={copy.value} />}
    </div>
  );
}

const what = (ids: readonly string[] | undefined): string =>
  ids === undefined ? "everything" : plural(ids.length, "execution");

function Push({ ids }: { ids: readonly string[] | undefined }): JSX.Element {
  const targets = usablePlaces().filter(mayRun);
  const [key, setKey] = useState("");
  const at = targets.find((target) => placeKey(target) === key) ?? targets[0];
  if (at === undefined)
    return (
      <p class="hint">
        To share executions, <a href={address(["instances"])}>connect to an instance</a>
        {usablePlaces().length > 0 && " with a token that may push"}.
      </p>
    );
  return (
    <div class="toolbar">
      <label class="field-inline">
        <span>To</span>
        <select value={placeKey(at)} onChange={(event) => setKey(event.currentTarget.value)}>
          {targets.map((target) => (
            <option key={placeKey(target)} value={placeKey(target)}>
              {placeText(target)}
            </option>
          ))}
        </select>
      </label>
      <Start order={{ direction: "push", at, ids }} />
    </div>
  );
}

function Start({ order }: { order: CopyOrder }): JSX.Element {
  const isBusy = copy.value?.phase === "running";
  const isPush = order.direction === "push";
  return (
    <button type="button" class="button" disabled={isBusy} onClick={() => void startCopy(order)}>
      <Icon name={isPush ? "upload" : "download"} /> {isPush ? "Push" : "Pull"} {what(order.ids)}
      {!isPush && " into this tab"}
    </button>
  );
}

function Progress({ copy }: { copy: Copy }): JSX.Element {
  const { direction, at, ids, phase, progress, error } = copy;
  const { found, missing, sent, added } = progress;
  const isPush = direction === "push";
  const target = isPush ? at : TAB;
  const head = `${isPush ? "Push" : "Pull"} of ${what(ids)} ${isPush ? "to" : "from"} ${placeText(at)}`;
  return (
    <section class="notice copy-progress" aria-label={head}>
      <p>{head}</p>
      {phase === "running" && (
        <>
          <progress aria-label={head} max={Math.max(1, missing)} value={sent} />
          <div class="toolbar">
            <span>
              {sent === 0
                ? `Finding out what is lacking: ${count(missing)} of ${plural(found, "record")}`
                : `${count(sent)} of ${plural(missing, "record")} sent`}
            </span>
            <button type="button" class="button small" onClick={stopCopy}>
              Stop
            </button>
          </div>
        </>
      )}
      {phase === "done" && (
        <p role="status">
          {missing === 0
            ? `Nothing was lacking: all ${plural(found, "record")} are there.`
            : `Done. ${plural(sent, "record")} sent, ${count(added)} of them new ${isPush ? "there" : "here"}. Each was checked against its hash.`}{" "}
          <a
            href={
              ids?.length === 1
                ? address(["executions", ids[0]!], {}, target)
                : address(["executions"], {}, target)
            }
          >
            {isPush ? "See it there" : "See it in this tab"}
          </a>
        </p>
      )}
      {(phase === "failed" || phase === "stopped") && (
        <>
          {error !== undefined && <ErrorNotice title="The copy was cut short" error={error} />}
          <div class="toolbar">
            <span>{plural(sent, "record")} sent. They stay, and are not sent again.</span>
            <button type="button" class="button" onClick={() => void startCopy({ direction, at, ids })}>
              Go on
            </button>
          </div>
        </>
      )}
      {phase !== "running" && (
        <button type="button" class="button small quiet" onClick={dismissCopy}>
          Hide
        </button>
      )}
    </section>
  );
}
