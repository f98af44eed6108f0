/** Shows the view that the address names. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Empty } from "./components/basics.tsx";
import { ErrorBoundary } from "./components/error-boundary.tsx";
import { lazy } from "./components/lazy.tsx";
import { PlaceGate } from "./components/place-gate.tsx";
import { placeText } from "./components/place-mark.tsx";
import { Shell } from "./components/shell.tsx";
import { instanceState } from "./state/instances.ts";
import { placeKey } from "./state/place.ts";
import { address, place, type Route, route } from "./state/router.ts";
import { WorkflowView } from "./views/workflow-view.tsx";

const ExecutionsView = lazy(async () => (await import("./views/executions-view.tsx")).ExecutionsView);
const ExecutionView = lazy(async () => (await import("./views/execution-view.tsx")).ExecutionView);
const CompareView = lazy(async () => (await import("./views/compare-view.tsx")).CompareView);
const ValuePage = lazy(async () => (await import("./views/value-page.tsx")).ValuePage);
const FilesView = lazy(async () => (await import("./views/files-view.tsx")).FilesView);
const InstancesView = lazy(async () => (await import("./views/instances-view.tsx")).InstancesView);
const InstanceView = lazy(async () => (await import("./views/instance-view.tsx")).InstanceView);
const SharedView = lazy(async () => (await import("./views/shared-view.tsx")).SharedView);

/** The whole app. */
export function App(): JSX.Element {
  const { path } = route.value;
  const [view = "workflow", subject = "", ...parts] = path;
  const at = place.value;
  const where = at.kind === "instance" && view !== "instances" ? placeText(at) : "";
  useEffect(() => {
    document.title = [TITLES[view], where, "redun"].filter(Boolean).join(" · ");
    // What had the focus may have gone with the view before.
    if (document.activeElement === document.body) document.getElementById("main")?.focus();
  }, [view, subject, where]);
  return (
    <Shell>
      <ErrorBoundary key={[placeKey(place.value), reached(), view, subject].join("/")} part={parts.join("/")}>
        <View route={route.value} />
      </ErrorBoundary>
    </Shell>
  );
}

/** Since when the instance where one works is in reach; what failed before is asked for again. */
function reached(): number {
  const at = place.value;
  return at.kind === "tab" ? 0 : (instanceState(at.instance).since ?? 0);
}

const TITLES: Readonly<Record<string, string>> = {
  workflow: "Workflow",
  executions: "Executions",
  compare: "Comparison",
  values: "Value",
  files: "Files",
  share: "Shared workflow",
  instances: "Instances",
};

function View({ route: { path, query } }: { route: Route }): JSX.Element {
  const [view = "", first] = path;
  if (view === "share") return <SharedView key={first} text={first ?? ""} />;
  if (view === "instances")
    return first === undefined ? <InstancesView /> : <InstanceView key={first} id={first} query={query} />;
  return (
    <PlaceGate>
      <PlaceView route={{ path, query }} />
    </PlaceGate>
  );
}

/** A view of where one works. */
function PlaceView({ route: { path, query } }: { route: Route }): JSX.Element {
  const [view = "", first, second] = path;
  switch (view) {
    case "":
    case "workflow":
      return <WorkflowView draft={first} />;
    case "executions":
      if (first === undefined) return <ExecutionsView query={query} />;
      return <ExecutionView key={first} id={first} tab={second} jobId={query.get("job") ?? undefined} />;
    case "compare":
      return <CompareView key={path.join()} before={first ?? ""} after={second ?? ""} />;
    case "values":
      return <ValuePage key={first} hash={first ?? ""} />;
    case "files":
      return <FilesView path={first} />;
    default:
      return (
        <Empty>
          <p>There is nothing at this address.</p>
          <a href={address(["workflow"])}>Go to the workflow</a>
        </Empty>
      );
  }
}
