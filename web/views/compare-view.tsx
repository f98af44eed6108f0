/** Two executions side by side: what ran again, and why. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Fact, Loaded, Section, StatusBadge, StatusMark } from "../components/basics.tsx";
import { VirtualList } from "../components/virtual-rows.tsx";
import { dateTime, duration, plural, shortId } from "../lib/format.ts";
import { type ComparedJob, type Comparison, compareExecutions } from "../state/comparison.ts";
import type { Execution, Job } from "../state/execution.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { loadCallTexts } from "../state/stored.ts";

const REASONS: Readonly<Record<ComparedJob["kind"], string>> = {
  same: "the same call",
  code: "other code or result",
  arguments: "other arguments",
  new: "new",
};

/** So many jobs of a list are shown with their arguments, and the rest by their tasks alone. */
const MOST_NAMED = 500;

const idOf = ({ id }: Job): string => id;

/** The comparison of an execution with an earlier one. */
export function CompareView({ before, after }: { before: string; after: string }): JSX.Element {
  const resource = useResource(`${before} ${after}`, () => compareExecutions(before, after));
  return (
    <div class="page">
      <div class="page-head">
        <h1>Comparison</h1>
      </div>
      <Loaded resource={resource}>
        {(comparison) =>
          comparison === undefined ? (
            <Empty>
              <p>One of the executions is not in this repository.</p>
              <a href={address(["executions"])}>All executions</a>
            </Empty>
          ) : (
            <ComparisonDetail comparison={comparison} />
          )
        }
      </Loaded>
    </div>
  );
}

function ComparisonDetail({ comparison }: { comparison: Comparison }): JSX.Element {
  const { before, after, jobs, gone, savedTime } = comparison;
  const [isAll, setAll] = useState(false);
  const ran = jobs.filter(({ job }) => job.status === "DONE" || job.status === "FAILED");
  const cached = jobs.filter(({ job }) => job.status === "CACHED");
  const shown = isAll ? jobs : ran;
  before.follow();
  after.follow();
  useEffect(() => {
    void loadCallTexts(before, gone.slice(0, MOST_NAMED).map(idOf)).catch(() => {});
    void loadCallTexts(
      after,
      shown.slice(0, MOST_NAMED).map(({ job }) => idOf(job)),
    ).catch(() => {});
  }, [comparison, isAll]);
  return (
    <>
      <div class="compare-heads">
        <Head title="Before" execution={before} />
        <Head title="After" execution={after} />
      </div>
      <Section title="In short">
        <dl class="facts">
          <Fact name="Ran">{plural(ran.length, "job")}</Fact>
          <Fact name="From the cache">{plural(cached.length, "job")}</Fact>
          <Fact name="No longer there">{plural(gone.length, "job")}</Fact>
          <Fact name="Time that the cache saved">
            {savedTime > 0 ? `${duration(savedTime)}, which these jobs took before` : "none that is known"}
          </Fact>
        </dl>
      </Section>
      <Section
        title={isAll ? "All jobs" : "What ran"}
        actions={
          <label class="check">
            <input
              type="checkbox"
              checked={isAll}
              onChange={(event) => setAll(event.currentTarget.checked)}
            />
            Show those from the cache as well
          </label>
        }
      >
        {shown.length === 0 ? (
          <p class="muted">Nothing ran: all results came from the cache.</p>
        ) : (
          <VirtualList count={shown.length} rowHeight={26} label="Jobs" class="compare-rows">
            {(index) => <ComparedRow compared={shown[index]!} before={before} after={after} />}
          </VirtualList>
        )}
      </Section>
      {gone.length > 0 && (
        <Section title="No longer there">
          <VirtualList
            count={gone.length}
            rowHeight={26}
            label="Jobs that are no longer there"
            class="compare-rows"
          >
            {(index) => {
              const job = gone[index]!;
              return (
                <div class="compare-row">
                  <StatusMark status={job.status} />
                  <a class="mono" href={address(["executions", before.id, "jobs"], { job: job.id })}>
                    {job.call ?? job.task}
                  </a>
                </div>
              );
            }}
          </VirtualList>
        </Section>
      )}
    </>
  );
}

function Head({ title, execution }: { title: string; execution: Execution }): JSX.Element {
  const { id, status, startTime, endTime } = execution;
  return (
    <section class="compare-head" aria-label={title}>
      <h2>{title}</h2>
      <a class="mono" href={address(["executions", id])}>
        {execution.roots[0]?.task ?? shortId(id)} {shortId(id)}
      </a>
      <p>
        <StatusBadge status={status} /> {dateTime(startTime)}
        {startTime !== undefined && endTime !== undefined && `, ${duration(endTime - startTime)}`}
      </p>
    </section>
  );
}

function ComparedRow({
  compared: { job, earlier, kind },
  before,
  after,
}: {
  compared: ComparedJob;
  before: Execution;
  after: Execution;
}): JSX.Element {
  return (
    <div class="compare-row">
      <StatusMark status={job.status} />
      <a class="mono" href={address(["executions", after.id, "jobs"], { job: job.id })}>
        {job.call ?? job.task}
      </a>
      <span class="muted">{REASONS[kind]}</span>
      {earlier !== undefined && kind !== "same" && (
        <a href={address(["executions", before.id, "jobs"], { job: earlier.id })}>before</a>
      )}
    </div>
  );
}
