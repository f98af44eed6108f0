/** What an execution came to, and what it took. */
import type { JSX } from "preact";
import { dateTime, duration } from "../lib/format.ts";
import type { Execution } from "../state/execution.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { getTags } from "../state/store.ts";
import { decodeText } from "../state/values.ts";
import { Fact, Section } from "./basics.tsx";
import { ProgressTable } from "./progress.tsx";
import { TagList } from "./tag-list.tsx";
import { ErrorDetail } from "./traceback.tsx";
import { ValueView } from "./value-view.tsx";

/** The first tab. */
export function Overview({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  return (
    <>
      <Outcome execution={execution} />
      {execution.warnings.length > 0 && (
        <div class="notice" role="status">
          {execution.warnings.map((warning) => (
            <p key={warning}>{warning}</p>
          ))}
        </div>
      )}
      {execution.jobs.size > 0 && (
        <Section title="Jobs by task">
          <ProgressTable execution={execution} />
        </Section>
      )}
      <Facts execution={execution} />
    </>
  );
}

function Outcome({ execution }: { execution: Execution }): JSX.Element | null {
  execution.follow();
  const { outcome } = execution;
  if (outcome === undefined) return null;
  if (outcome.status === "DONE") {
    const decoded = decodeText(outcome.value);
    return (
      <Section
        title="Result"
        actions={<a href={address(["values", outcome.valueHash])}>Where it came from</a>}
      >
        <ValueView decoded={decoded} text={outcome.value} />
      </Section>
    );
  }
  if (outcome.status === "CANCELLED")
    return (
      <p class="notice">It was cancelled. What had been done by then is in the cache for the next time.</p>
    );
  if (outcome.status === "DRYRUN") return <WouldRun execution={execution} />;
  return (
    <Section title="Error">
      <ErrorDetail
        error={outcome.error}
        traceback={outcome.traceback}
        jobAddress={(job) => address(["executions", execution.id, "jobs"], { job })}
      />
    </Section>
  );
}

/** What a dry run found. */
function WouldRun({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const found = [...execution.misses];
  return (
    <Section title="What would run">
      <p class="muted">Nothing was run. What depends on these is not known before they are.</p>
      <ul class="notice would-run">
        {found.map(([jobId, message]) => {
          const job = execution.jobs.get(jobId);
          return (
            <li key={jobId}>
              <span class="mono">{job?.call ?? job?.task ?? jobId}</span> <span class="muted">{message}</span>
            </li>
          );
        })}
        {found.length === 0 && (
          <li>{execution.outcome?.status === "DRYRUN" && execution.outcome.error.message}</li>
        )}
      </ul>
    </Section>
  );
}

function Facts({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const { id, startTime, endTime, status, args } = execution;
  const tags = useResource(`${id} ${status}`, () => getTags([id]), { keep: true });
  const spent = [...execution.jobs.values()].reduce(
    (sum, job) =>
      job.status === "CACHED" ||
      job.children.length > 0 ||
      job.startTime === undefined ||
      job.endTime === undefined
        ? sum
        : sum + job.endTime - job.startTime,
    0,
  );
  return (
    <Section title="Execution">
      <dl class="facts">
        <Fact name="Id">
          <code>{id}</code>
        </Fact>
        <Fact name="Command">
          <code>{args.join(" ")}</code>
        </Fact>
        <Fact name="Started">{dateTime(startTime)}</Fact>
        {endTime !== undefined && startTime !== undefined && (
          <Fact name="Took">{duration(endTime - startTime)}</Fact>
        )}
        {spent > 0 && (
          <Fact name="Jobs' own time">
            {duration(spent)}, with their waits for a worker, without jobs that only waited for others
          </Fact>
        )}
        <Fact name="Tags">
          <TagList tags={tags.value?.get(id) ?? []} />
        </Fact>
      </dl>
    </Section>
  );
}
