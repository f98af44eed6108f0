/** Where a workflow is written and begun. */
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import type { PackageTask } from "../../src/package/types.ts";
import { ArgumentForm } from "../components/argument-form.tsx";
import type { SourceEditorProps } from "../components/editor.tsx";
import { FileTabs } from "../components/file-tabs.tsx";
import { Icon } from "../components/icons.tsx";
import { lazy } from "../components/lazy.tsx";
import { RunButton, RunNote } from "../components/run-place.tsx";
import { ShareButton } from "../components/share-button.tsx";
import { ENTRY } from "../lib/sources.ts";
import { examples } from "../state/examples.ts";
import { address, navigate } from "../state/router.ts";
import { runChosenTask, runState } from "../state/run.ts";
import {
  buildState,
  chosenTask,
  discardDraft,
  draftName,
  edit,
  hasShared,
  isChanged,
  lastDraft,
  openDraft,
  openFile,
  showFile,
  sourceRevision,
  sources,
} from "../state/workflow.ts";

const SourceEditor = lazy<SourceEditorProps>(
  async () => (await import("../components/editor.tsx")).SourceEditor,
);

/** The editor and, beside it, tasks and arguments. */
export function WorkflowView({ draft }: { draft: string | undefined }): JSX.Element {
  useEffect(() => {
    if (draft === undefined)
      navigate(address(["workflow", draftName.value || lastDraft()]), { replace: true });
    else if (draft !== draftName.value) openDraft(draft);
  }, [draft]);
  const state = buildState.value;
  const file = openFile.value;
  const place = state.phase === "failed" ? state.place : undefined;
  const problem = place?.file === file ? place : undefined;
  return (
    <div class="workflow">
      <h1 class="visually-hidden">Workflow</h1>
      <div class="workflow-code">
        <div class="toolbar">
          <label class="field-inline">
            <span>Example</span>
            <select
              value={draftName.value}
              onChange={(event) => navigate(address(["workflow", event.currentTarget.value]))}
            >
              {examples.map(({ name, title }) => (
                <option key={name} value={name}>
                  {title}
                </option>
              ))}
              {hasShared() && <option value="shared">From a link</option>}
            </select>
          </label>
          <span class="spacer" />
          {isChanged() && (
            <button type="button" class="button quiet" onClick={discardDraft}>
              <Icon name="reset" /> <span class="wide-only">Back to the example</span>
              <span class="visually-hidden narrow-only">Back to the example</span>
            </button>
          )}
          <ShareButton />
        </div>
        <FileTabs />
        <SourceEditor
          key={`${draftName.value} ${file}`}
          text={sources.value[file] ?? ""}
          revision={sourceRevision.value}
          label={file === ENTRY ? "Source of the workflow" : `Source of ${file}`}
          problem={problem}
          onEdit={edit}
          onRun={() => void runChosenTask()}
        />
        <BuildNote />
      </div>
      <aside class="workflow-side" aria-label="Tasks">
        <TaskPanel />
      </aside>
    </div>
  );
}

/** What the build said, below the editor. */
function BuildNote(): JSX.Element {
  const state = buildState.value;
  if (state.phase === "failed") {
    const { place } = state;
    return (
      <div class="build-note failed" role="alert">
        {place === undefined ? (
          <pre>{state.message}</pre>
        ) : (
          <span>
            <strong>
              {place.file !== openFile.value && Object.hasOwn(sources.value, place.file) ? (
                <button type="button" class="link" onClick={() => showFile(place.file)}>
                  {place.file}, line {place.line}, column {place.column}:
                </button>
              ) : (
                <>
                  Line {place.line}, column {place.column}:
                </>
              )}
            </strong>{" "}
            {place.text}
          </span>
        )}
      </div>
    );
  }
  const warnings = state.phase === "ready" ? state.built.warnings : [];
  return (
    <div class="build-note" role="status">
      {state.phase === "building" ? "Building…" : <span>Built. Package {state.built.hash.slice(0, 8)}</span>}
      {warnings.map((warning) => (
        <span key={warning} class="warning">
          {warning}
        </span>
      ))}
    </div>
  );
}

const NO_TASKS = {
  building: "Building…",
  failed: "The source could not be built, so its tasks are not known.",
  ready: "There is no task yet. Define one with task(name, function).",
} as const;

function TaskPanel(): JSX.Element {
  const state = buildState.value;
  const tasks = state.built?.manifest.tasks ?? [];
  const task = tasks.find(({ fullname }) => fullname === chosenTask.value);
  return (
    <>
      <h2>Tasks</h2>
      {tasks.length === 0 ? (
        <p class="muted">{NO_TASKS[state.phase]}</p>
      ) : (
        <fieldset class="task-list">
          <legend class="visually-hidden">Task to run</legend>
          {tasks.map((each) => (
            <TaskChoice key={each.fullname} task={each} />
          ))}
        </fieldset>
      )}
      {task !== undefined && <TaskForm key={task.fullname} task={task} />}
    </>
  );
}

function TaskChoice({ task }: { task: PackageTask }): JSX.Element {
  const parameters = task.parameters.map(({ name, optional }) => (optional ? `${name}?` : name)).join(", ");
  return (
    <label class="task-choice">
      <input
        type="radio"
        name="task"
        checked={task.fullname === chosenTask.value}
        onChange={() => {
          chosenTask.value = task.fullname;
        }}
      />
      <span class="task-signature">
        {task.fullname}
        <span class="muted">({parameters})</span>
      </span>
    </label>
  );
}

function TaskForm({ task }: { task: PackageTask }): JSX.Element {
  const isBuilding = buildState.value.phase !== "ready";
  const { error, isStarting, errors } = runState.value;
  return (
    <form
      class="task-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void runChosenTask();
      }}
    >
      <h2 class="mono">{task.fullname}</h2>
      {task.doc !== undefined && <p class="doc">{task.doc}</p>}
      <ArgumentForm task={task} errors={errors} />
      <div class="form-actions">
        <RunButton
          isDisabled={buildState.value.phase === "failed"}
          isStarting={isStarting}
          isDry={runState.value.dryRun}
        />
      </div>
      <RunNote />
      <RunOptions />
      {error !== undefined && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      <p class="hint">
        {isBuilding && buildState.value.phase === "failed"
          ? "The source has an error, so nothing can run."
          : "Ctrl+Enter in the editor runs as well."}
      </p>
    </form>
  );
}

function RunOptions(): JSX.Element {
  const state = runState.value;
  const set = (changes: Partial<typeof state>): void => {
    runState.value = { ...runState.value, ...changes };
  };
  return (
    <details class="run-options" open={!state.cache || state.dryRun || state.tags !== ""}>
      <summary>Options</summary>
      <label class="check">
        <input
          type="checkbox"
          checked={!state.cache}
          onChange={(event) => set({ cache: !event.currentTarget.checked })}
        />
        Ignore earlier results
      </label>
      <label class="check">
        <input
          type="checkbox"
          checked={state.dryRun}
          onChange={(event) => set({ dryRun: event.currentTarget.checked })}
        />
        Only find out what would run
      </label>
      <label class="field-inline">
        <span>Tags</span>
        <input
          type="text"
          placeholder="key=value, key=value"
          value={state.tags}
          onInput={(event) => set({ tags: event.currentTarget.value })}
        />
      </label>
    </details>
  );
}
