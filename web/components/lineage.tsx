/** Upstream of a value: the call that made it, its arguments, and so on. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { shortId } from "../lib/format.ts";
import type { Argument } from "../state/job-story.ts";
import { readCall } from "../state/job-story.ts";
import { jobOfCall, makerOf } from "../state/lineage.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { displayStored } from "../state/values.ts";
import { Loaded } from "./basics.tsx";

/** How a value came about. */
export function Lineage({ valueHash }: { valueHash: string }): JSX.Element {
  const resource = useResource(valueHash, async () => {
    const story = await makerOf(valueHash);
    return { story, job: story === undefined ? undefined : await jobOfCall(story.call.callHash) };
  });
  return (
    <Loaded resource={resource}>
      {({ story, job }) =>
        story === undefined ? (
          <p class="muted">No call made it: it was given from outside.</p>
        ) : (
          <Call
            name={story.call.taskName}
            args={story.args}
            jobAddress={
              job === undefined
                ? undefined
                : address(["executions", job.executionId, "jobs"], { job: job.id })
            }
          />
        )
      }
    </Loaded>
  );
}

function Call({
  name,
  args,
  jobAddress,
}: {
  name: string;
  args: readonly Argument[];
  jobAddress: string | undefined;
}): JSX.Element {
  return (
    <div class="lineage-call">
      <p>
        made by{" "}
        {jobAddress === undefined ? (
          <code>{name}</code>
        ) : (
          <a class="mono" href={jobAddress}>
            {name}
          </a>
        )}
        {args.length === 0 && " without arguments"}
      </p>
      {args.length > 0 && (
        <ul>
          {args.map((argument) => (
            <ArgumentOrigin key={argument.name} argument={argument} />
          ))}
        </ul>
      )}
    </div>
  );
}

/** An argument; it is followed further when it is opened. */
function ArgumentOrigin({ argument }: { argument: Argument }): JSX.Element {
  const { name, valueHash, value, upstream } = argument;
  const [isOpen, setOpen] = useState(false);
  return (
    <li>
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <span class="mono">{name}</span> = <span class="mono muted">{displayStored(value, 70)}</span>
        </summary>
        <p>
          <a href={address(["values", valueHash])}>Value {shortId(valueHash)}</a>
        </p>
        {isOpen &&
          (upstream.length === 0 ? <Lineage valueHash={valueHash} /> : <Upstream calls={upstream} />)}
      </details>
    </li>
  );
}

/** Shown of the calls that an argument was computed from. */
const MOST_CALLS = 30;

function Upstream({ calls }: { calls: readonly string[] }): JSX.Element {
  const resource = useResource(calls.join(), () =>
    Promise.all(
      calls.slice(0, MOST_CALLS).map(async (callHash) => ({
        story: await readCall(callHash),
        job: await jobOfCall(callHash),
      })),
    ),
  );
  return (
    <Loaded resource={resource}>
      {(found) => (
        <>
          {found.map(
            ({ story, job }) =>
              story !== undefined && (
                <Call
                  key={story.call.callHash}
                  name={story.call.taskName}
                  args={story.args}
                  jobAddress={
                    job === undefined
                      ? undefined
                      : address(["executions", job.executionId, "jobs"], { job: job.id })
                  }
                />
              ),
          )}
          {calls.length > MOST_CALLS && <p class="muted">and {calls.length - MOST_CALLS} more calls</p>}
        </>
      )}
    </Loaded>
  );
}
