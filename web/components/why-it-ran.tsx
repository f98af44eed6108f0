/** Why a job ran: what differs from the nearest earlier call. */
import type { JSX } from "preact";
import { diffLines } from "../lib/diff.ts";
import { shortId } from "../lib/format.ts";
import type { Job } from "../state/execution.ts";
import { type CallStory, type Change, whyItRan } from "../state/job-story.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { displayStored } from "../state/values.ts";
import { Loaded } from "./basics.tsx";

/** The reason, and the differences. */
export function WhyItRan({
  story,
  executionId,
  job,
}: {
  story: CallStory;
  executionId: string;
  job: Job;
}): JSX.Element {
  const isCached = job.status === "CACHED";
  const resource = useResource(`${job.id} ${job.status}`, async () =>
    isCached ? undefined : whyItRan(story, executionId),
  );
  if (isCached)
    return <p>An earlier call with the same code and the same arguments had this result already.</p>;
  return (
    <Loaded resource={resource}>
      {(reason) => {
        if (reason === undefined || reason.kind === "first")
          return <p>No earlier execution in this repository called this task.</p>;
        const link = (
          <a href={address(["executions", reason.executionId])}>execution {shortId(reason.executionId)}</a>
        );
        if (reason.kind === "same")
          return (
            <p>
              Code and arguments are those of a call in {link}, but its result was not taken: it was asked to
              be ignored, had failed, or no longer describes the files that it names.
            </p>
          );
        return (
          <>
            <p>Compared with the nearest call, in {link}:</p>
            <ul class="changes">
              {reason.changes.map((change, i) => (
                <li key={i}>
                  <ChangeDetail change={change} />
                </li>
              ))}
            </ul>
          </>
        );
      }}
    </Loaded>
  );
}

function ChangeDetail({ change }: { change: Change }): JSX.Element {
  if (change.kind === "code") {
    const { before, after, isOwnSource } = change;
    const isKnown = before !== undefined && after !== undefined;
    return isOwnSource ? (
      <>
        <strong>The code changed.</strong>
        {isKnown && <SourceDiff before={before} after={after} />}
      </>
    ) : (
      <>
        <strong>The code that it uses changed:</strong> a helper, a constant or a package. Its own text is the
        same.
        {isKnown && before !== after && (
          <>
            <p class="hint">What changed in the workflow:</p>
            <SourceDiff before={before} after={after} changesOnly />
          </>
        )}
      </>
    );
  }
  const { name, before, after } = change;
  if (change.kind === "file")
    return (
      <>
        <strong>
          The file <code>{after?.file}</code> changed
        </strong>
        , the argument <code>{name}</code>.
      </>
    );
  return (
    <>
      <strong>
        The argument <code>{name}</code> changed.
      </strong>
      <pre class="diff">
        <span class="removed">- {before === undefined ? "(left out)" : displayStored(before, 300)}</span>
        {"\n"}
        <span class="added">+ {displayStored(after, 300)}</span>
      </pre>
    </>
  );
}

/** Two texts, line by line. */
function SourceDiff({
  before,
  after,
  changesOnly = false,
}: {
  before: string;
  after: string;
  changesOnly?: boolean;
}): JSX.Element {
  const lines = diffLines(before, after).filter(
    ({ kind, text }) => !changesOnly || (kind !== "same" && text.trim() !== ""),
  );
  return (
    <pre class="diff">
      {lines.map(({ kind, text }, i) => (
        <span key={i} class={kind}>
          {kind === "added" ? "+" : kind === "removed" ? "-" : " "} {text}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
