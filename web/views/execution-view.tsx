/** An execution, while it runs and afterwards. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Empty, Failure, Loaded, StatusBadge } from "../components/basics.tsx";
import { Icon } from "../components/icons.tsx";
import { JobsTab } from "../components/jobs-tab.tsx";
import { lazy } from "../components/lazy.tsx";
import { LogTab } from "../components/log-tab.tsx";
import { Overview } from "../components/overview.tsx";
import { progressText } from "../components/progress.tsx";
import { duration, shortId } from "../lib/format.ts";
import { getEngine, updateEngineInfo } from "../state/engine.ts";
import type { Execution } from "../state/execution.ts";
import { mayRun, usablePlaces } from "../state/instances.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate, place } from "../state/router.ts";
import { earlierExecution, openExecution } from "../state/stored.ts";

const GraphTab = lazy<{ execution: Execution }>(
  async () => (await import("../components/graph-tab.tsx")).GraphTab,
);
const TimelineTab = lazy<{ execution: Execution }>(
  async () => (await import("../components/timeline-tab.tsx")).TimelineTab,
);

const CopyPanel = lazy<{ ids?: readonly string[] | undefined }>(
  async () => (await import("../remote/copy-panel.tsx")).CopyPanel,
);

const TABS = [
  { name: "overview", title: "Overview" },
  { name: "jobs", title: "Jobs" },
  { name: "graph", title: "Graph" },
  { name: "timeline", title: "Timeline" },
  { name: "log", title: "Log" },
] as const;

/** The view of one execution. */
export function ExecutionView({
  id,
  tab = "overview",
  jobId,
}: {
  id: string;
  tab?: string | undefined;
  jobId: string | undefined;
}): JSX.Element {
  const resource = useResource(id, () => openExecution(id));
  if (resource.phase === "failed")
    return (
      <div class="page">
        <Failure error={resource.error} />
      </div>
    );
  return (
    <Loaded resource={resource}>
      {(execution) =>
        execution === undefined ? (
          <Empty>
            <p>This repository has no execution {shortId(id)}.</p>
            <a href={address(["executions"])}>All executions</a>
          </Empty>
        ) : (
          <div class="execution">
            <ExecutionHead execution={execution} />
            <Tabs id={id} current={tab} />
            <div class={`tab-content tab-${tab}`}>
              <TabContent execution={execution} tab={tab} jobId={jobId} />
            </div>
          </div>
        )
      }
    </Loaded>
  );
}

function Tabs({ id, current }: { id: string; current: string }): JSX.Element {
  return (
    <nav class="tabs" aria-label="Parts of the execution">
      {TABS.map(({ name, title }) => (
        <a
          key={name}
          href={address(["executions", id, ...(name === "overview" ? [] : [name])])}
          aria-current={name === current ? "page" : undefined}
        >
          {title}
        </a>
      ))}
    </nav>
  );
}

function TabContent({
  execution,
  tab,
  jobId,
}: {
  execution: Execution;
  tab: string;
  jobId: string | undefined;
}): JSX.Element {
  switch (tab) {
    case "jobs":
      return (
        <JobsTab
          execution={execution}
          jobId={jobId}
          onSelect={(job) =>
            navigate(address(["executions", execution.id, "jobs"], { job }), { replace: jobId !== undefined })
          }
        />
      );
    case "graph":
      return <GraphTab execution={execution} />;
    case "timeline":
      return <TimelineTab execution={execution} />;
    case "log":
      return <LogTab execution={execution} />;
    default:
      return <Overview execution={execution} />;
  }
}

function ExecutionHead({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const [isCopying, setCopying] = useState(false);
  const isRunning = execution.status === "RUNNING";
  const title = execution.roots[0]?.call ?? execution.args.slice(1).join(" ");
  return (
    <header class="execution-head">
      <h1 class="mono" title={title}>
        {title || "Execution"}
      </h1>
      <div class="execution-facts">
        <StatusBadge status={execution.status} />
        <Elapsed execution={execution} />
        <span>{progressText(execution)}</span>
        <span class="muted mono">{shortId(execution.id)}</span>
        {execution.continuedBy !== undefined && (
          <a href={address(["executions", execution.continuedBy])}>It goes on in another execution</a>
        )}
      </div>
      <div class="execution-actions">
        {!isRunning && (place.value.kind === "instance" || usablePlaces().length > 0) && (
          <button
            type="button"
            class="button"
            aria-expanded={isCopying}
            onClick={() => setCopying(!isCopying)}
          >
            {place.value.kind === "tab" ? "Push…" : "Pull…"}
          </button>
        )}
        {isRunning ? <CancelButton id={execution.id} /> : <EarlierLink execution={execution} />}
      </div>
      {isCopying && <CopyPanel ids={[execution.id]} />}
      <LiveRegion execution={execution} />
    </header>
  );
}

/** Leads to the comparison with the execution of the same task before this one. */
function EarlierLink({ execution }: { execution: Execution }): JSX.Element | null {
  const { id, roots } = execution;
  const task = roots[0]?.task;
  const earlier = useResource(`${id} ${task}`, async () =>
    task === undefined ? undefined : earlierExecution(id, task),
  );
  if (earlier.value === undefined) return null;
  return (
    <a class="button" href={address(["compare", earlier.value, id])}>
      Compare<span class="wide-only"> with the one before</span>
    </a>
  );
}

function CancelButton({ id }: { id: string }): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const isAllowed = mayRun(place.value);
  const cancel = async (): Promise<void> => {
    setAsked(true);
    await (await getEngine()).cancel(id);
    if (place.value.kind === "tab") await updateEngineInfo();
  };
  return (
    <button
      type="button"
      class="button danger"
      disabled={isAsked || !isAllowed}
      title={isAllowed ? undefined : "Your token may only read. It takes the role runner to cancel."}
      onClick={() => void cancel().catch(() => setAsked(false))}
    >
      <Icon name="stop" /> {isAsked ? "Cancelling…" : "Cancel"}
    </button>
  );
}

/** How long it took, or takes so far. */
function Elapsed({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const [, tick] = useState(0);
  const isRunning = execution.status === "RUNNING";
  useEffect(() => {
    if (!isRunning) return;
    const timer = setInterval(() => tick((n) => n + 1), 100);
    return () => clearInterval(timer);
  }, [isRunning]);
  const { startTime, endTime } = execution;
  if (startTime === undefined) return <span>…</span>;
  const end = endTime ?? (isRunning ? Date.now() : undefined);
  return <span class="number">{end === undefined ? "" : duration(Math.max(0, end - startTime))}</span>;
}

/** Tells a screen reader how it goes, not more often than one can listen to. */
function LiveRegion({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const [text, setText] = useState("");
  const { status } = execution;
  useEffect(() => {
    const say = (): void =>
      setText(`${status === "RUNNING" ? "Running" : `Ended: ${status}`}. ${progressText(execution)}`);
    say();
    if (status !== "RUNNING") return;
    const timer = setInterval(say, 5000);
    return () => clearInterval(timer);
  }, [execution, status]);
  return (
    <p class="visually-hidden" role="status" aria-live="polite">
      {text}
    </p>
  );
}
