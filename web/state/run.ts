/** Begins executions. */
import { type Signal, signal } from "@preact/signals";
import { isDir } from "../../src/file/dir.ts";
import { isFile } from "../../src/file/file.ts";
import { registerHttpFileSystem } from "../../src/file-systems/http.ts";
import { registerOpfsFileSystem } from "../../src/file-systems/opfs.ts";
import { registerPickedFileSystem } from "../../src/file-systems/picked.ts";
import { uuid } from "../../src/util/uuid.ts";
import { type FormOptions, parseForm } from "../lib/arguments.ts";
import { errorText } from "../lib/errors.ts";
import { joinedText } from "../lib/sources.ts";
import { parseTags } from "../lib/tags.ts";
import { rememberSource } from "./code-history.ts";
import { getEngine, getTabEngine } from "./engine.ts";
import { allowPicked, listPicks, PICKED_ROOT } from "./files.ts";
import { mayRun } from "./instances.ts";
import { dropExecution, expectExecution } from "./live.ts";
import type { Place } from "./place.ts";
import { address, navigate, place } from "./router.ts";
import { buildNow, buildState, chosenTask, fieldTexts, mayHaveOtherDefaults, sources } from "./workflow.ts";

/** How the start of an execution is going, and how to do it. */
export interface RunState {
  readonly isStarting: boolean;
  /** `false` takes no earlier result. */
  readonly cache: boolean;
  /** Finds out what would run, and runs nothing. */
  readonly dryRun: boolean;
  /** `key=value`, with commas between. */
  readonly tags: string;
  readonly error: string | undefined;
  /** What is wrong with fields, by parameter name. */
  readonly errors: ReadonlyMap<string, string>;
}

// Files among the arguments are looked at here, by the same paths as in tasks.
registerOpfsFileSystem({ schemes: ["opfs", "file"] });
registerHttpFileSystem();
registerPickedFileSystem({
  findPicked: async (path) => (await getTabEngine()).findPicked(path),
  listPicked: async (folder) => (await getTabEngine()).listPicked(folder),
});

const NO_ERRORS: ReadonlyMap<string, string> = new Map();

/** For the form. */
export const runState: Signal<RunState> = signal({
  isStarting: false,
  cache: true,
  dryRun: false,
  tags: "",
  error: undefined,
  errors: NO_ERRORS,
});

/** The click that begins an execution also asks for files of earlier visits that it names. */
async function allowFiles(texts: readonly string[]): Promise<void> {
  if (!texts.some((text) => text.includes(PICKED_ROOT))) return;
  for (const picked of await listPicks())
    if (picked.state === "permission" && texts.some((text) => text.includes(picked.path)))
      await allowPicked(picked);
}

/** Runs the chosen task with what its fields hold, and goes to the execution. */
export async function runChosenTask(): Promise<void> {
  if (runState.value.isStarting) return;
  runState.value = { ...runState.value, isStarting: true, error: undefined, errors: NO_ERRORS };
  const failed = (error: string | undefined, errors = NO_ERRORS): void => {
    runState.value = { ...runState.value, isStarting: false, error, errors };
  };
  const executionId = uuid();
  // Whoever goes elsewhere meanwhile has it run where it was asked for.
  const at = place.value;
  try {
    const texts = fieldTexts.get(chosenTask.value) ?? {};
    await allowFiles(Object.values(texts));
    // A key that was pressed just now may not have been built yet.
    const state = buildState.value;
    const built = state.phase === "ready" ? state.built : await buildNow();
    const task = built?.manifest.tasks.find(({ fullname }) => fullname === chosenTask.value);
    if (built === undefined || task === undefined)
      return failed("The source has an error, so nothing can run.");
    if (!mayRun(at)) return failed("Your token may only read there, so nothing can run.");
    // The engine comes first: what it told before is known then.
    const engine = await getEngine(at);
    const form = await parseForm(task, fieldTexts.get(task.fullname) ?? {}, {
      mayLeaveOut: mayHaveOtherDefaults(),
      prepare: await preparing(at),
    });
    if (form.errors !== undefined) return failed(undefined, form.errors);
    const execution = expectExecution(executionId, at);
    execution.args = ["run", task.fullname];
    execution.startTime = Date.now();
    void rememberSource(built, joinedText(sources.value));
    const { cache, dryRun, tags } = runState.value;
    await engine.start({
      executionId,
      package: built.hash,
      task: task.fullname,
      args: form.args,
      cache,
      dryRun,
      tags: parseTags(tags),
    });
    failed(undefined);
    navigate(address(["executions", executionId], {}, at));
  } catch (error) {
    dropExecution(executionId, at);
    failed(errorText(error));
  }
}

/** What makes values of fields such as an instance can read. A tab takes them as they are. */
async function preparing(at: Place): Promise<FormOptions["prepare"]> {
  if (at.kind === "tab") return undefined;
  const { checkTexts, fileThere } = await import("../remote/send-files.ts");
  return async (value) => {
    checkTexts(value);
    return isFile(value) || isDir(value) ? fileThere(value, at) : value;
  };
}
