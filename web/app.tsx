/** Shows the view that the address names. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { Empty } from "./components/basics.tsx";
import { ErrorBoundary } from "./components/error-boundary.tsx";
import { lazy } from "./components/lazy.tsx";
import { Shell } from "./components/shell.tsx";
import { address, type Route, route } from "./state/router.ts";
import { WorkflowView } from "./views/workflow-view.tsx";

const ExecutionsView = lazy(async () => (await import("./views/executions-view.tsx")).ExecutionsView);
const ExecutionView = lazy(async () => (await import("./views/execution-view.tsx")).ExecutionView);
const CompareView = lazy(async () => (await import("./views/compare-view.tsx")).CompareView);
const ValuePage = lazy(async () => (await import("./views/value-page.tsx")).ValuePage);
const FilesView = lazy(async () => (await import("./views/files-view.tsx")).FilesView);
const SharedView = lazy(async () => (await import("./views/shared-view.tsx")).SharedView);

/** The whole app. */
export function App(): JSX.Element {
  const { path } = route.value;
  const [view = "workflow", subject = ""] = path;
  useEffect(() => {
    document.title = [TITLES[view], "redun"].filter(Boolean).join(" · ");
    // What had the focus may have gone with the view before.
    if (document.activeElement === document.body) document.getElementById("main")?.focus();
  }, [view, subject]);
  return (
    <Shell>
      <ErrorBoundary key={path.join("/")}>
        <View route={route.value} />
      </ErrorBoundary>
    </Shell>
  );
}

const TITLES: Readonly<Record<string, string>> = {
  workflow: "Workflow",
  executions: "Executions",
  compare: "Comparison",
  values: "Value",
  files: "Files",
  share: "Shared workflow",
};

function View({ route: { path, query } }: { route: Route }): JSX.Element {
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
    case "share":
      return <SharedView key={first} text={first ?? ""} />;
    default:
      return (
        <Empty>
          <p>There is nothing at this address.</p>
          <a href={address(["workflow"])}>Go to the workflow</a>
        </Empty>
      );
  }
}
