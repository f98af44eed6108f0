/** What the user picked to be read in place. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Picked } from "../../src/browser/engine-api.ts";
import { errorText } from "../lib/errors.ts";
import { byteSize } from "../lib/format.ts";
import { allowPicked, copyPicked, fileChanges, fileName, listPicks, removeFile } from "../state/files.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { Section } from "./basics.tsx";
import { Icon } from "./icons.tsx";

const STATES: Readonly<Record<Picked["state"], string>> = {
  ready: "",
  permission: "the browser wants you to allow it again",
  changed: "changed or removed since: pick it again",
};

/** The list, where there is anything. */
export function PickedPanel(): JSX.Element | null {
  const resource = useResource(`picked ${fileChanges.value}`, listPicks, { keep: true });
  const [error, setError] = useState<string | undefined>(undefined);
  if (resource.value === undefined || resource.value.length === 0) return null;
  const attempt = (work: Promise<unknown>): void =>
    void work.then(
      () => setError(undefined),
      (failure: unknown) => setError(errorText(failure)),
    );
  return (
    <Section title="Read in place">
      <p class="muted">
        These are on your disk, and nothing of them is copied. The browser lets go of what it can't remember
        when the last page of this app is closed.
      </p>
      {error !== undefined && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      <div class="table-scroll">
        <table class="table">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Size
              </th>
              <th scope="col">
                <span class="visually-hidden">What to do with it</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {resource.value.map((picked) => (
              <PickedRow key={picked.path} picked={picked} attempt={attempt} />
            ))}
          </tbody>
        </table>
      </div>
    </Section>
  );
}

function PickedRow({
  picked,
  attempt,
}: {
  picked: Picked;
  attempt: (work: Promise<unknown>) => void;
}): JSX.Element {
  const { path, size, isFolder, state } = picked;
  const name = fileName(path);
  return (
    <tr>
      <td>
        <a class="mono" href={address(["files", path])}>
          {name}
          {isFolder && "/"}
        </a>{" "}
        <span class="muted">{STATES[state]}</span>
      </td>
      <td class="number">{isFolder ? "" : byteSize(size)}</td>
      <td>
        <span class="row-actions">
          {state === "permission" && (
            <button type="button" class="button small" onClick={() => attempt(allowPicked(picked))}>
              Allow<span class="visually-hidden"> {name}</span>
            </button>
          )}
          {state === "ready" && (
            <button type="button" class="button small" onClick={() => attempt(copyPicked(picked))}>
              <Icon name="download" /> Keep a copy<span class="visually-hidden"> of {name}</span>
            </button>
          )}
          <button type="button" class="button small quiet" onClick={() => attempt(removeFile(path))}>
            Forget<span class="visually-hidden"> {name}</span>
          </button>
        </span>
      </td>
    </tr>
  );
}
