/** The workflow in the editor: its source, what its build came to, and which task is chosen. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { BuiltWorkflow, WorkflowSource } from "../../src/browser/engine-api.ts";
import { type BuildPlace, buildPlace, errorText } from "../lib/errors.ts";
import type { SharedWorkflow } from "../lib/share.ts";
import { getEngine } from "./engine.ts";
import { type Example, exampleNamed, examples } from "./examples.ts";
import { readSetting, writeSetting } from "./settings.ts";

/** What became of the source. */
export type BuildState =
  | { readonly phase: "building"; readonly built?: BuiltWorkflow | undefined }
  | { readonly phase: "ready"; readonly built: BuiltWorkflow }
  | {
      readonly phase: "failed";
      readonly message: string;
      readonly place: BuildPlace | undefined;
      /** The last that could be built. */
      readonly built?: BuiltWorkflow | undefined;
    };

/** A build begins so long after the last key, in milliseconds. */
const BUILD_DELAY = 350;
const SHARED = "shared";

/** Name of the example or draft that is open. */
export const draftName: Signal<string> = signal("");
/** The text in the editor. */
export const source: Signal<string> = signal("");
/** Changes when something else than the editor set the text. */
export const sourceRevision: Signal<number> = signal(0);
/** Fullname of the chosen task. */
export const chosenTask: Signal<string> = signal("");
/** What the fields of each task hold, by fullname and parameter. Kept while the app is open. */
export const fieldTexts: Map<string, Record<string, string>> = new Map();

const build = signal<BuildState>({ phase: "building" });

/** What became of the source. */
export const buildState: ReadonlySignal<BuildState> = build;

let timer: ReturnType<typeof setTimeout> | undefined;
let turn = 0;

/** Opens an example, or the draft that was made of it. */
export function openDraft(name: string): void {
  const example = exampleNamed(name);
  const text = readSetting(`draft.${name}`) ?? example?.text ?? examples[0]!.text;
  draftName.value = name;
  writeSetting("draft", name);
  setSource(text, 0);
  sourceRevision.value++;
}

/** Takes a workflow that came with a link as the draft of its own name. Nothing of it runs. */
export function takeShared(shared: SharedWorkflow): void {
  writeSetting(`draft.${SHARED}`, shared.source);
  chosenTask.value = shared.task;
  fieldTexts.set(shared.task, { ...shared.texts });
  // What was open under that name before is another workflow.
  if (draftName.value === SHARED) openDraft(SHARED);
}

/** The draft that was last open. */
export function lastDraft(): string {
  const name = readSetting("draft");
  const isKnown = name !== undefined && (exampleNamed(name) !== undefined || name === SHARED);
  return isKnown ? name : examples[0]!.name;
}

/** Whether there is a draft that came with a link. */
export function hasShared(): boolean {
  return draftName.value === SHARED || readSetting(`draft.${SHARED}`) !== undefined;
}

/** The example that is open, if the draft began as one. */
export function openExample(): Example | undefined {
  return exampleNamed(draftName.value);
}

/** Takes a change of the editor. */
export function edit(text: string): void {
  if (text === source.value) return;
  const isOriginal = text === openExample()?.text;
  writeSetting(`draft.${draftName.value}`, isOriginal ? undefined : text);
  setSource(text, BUILD_DELAY);
}

/** Goes back to the example's own text. */
export function discardDraft(): void {
  const example = openExample();
  if (example === undefined) return;
  edit(example.text);
  sourceRevision.value++;
}

function setSource(text: string, delay: number): void {
  source.value = text;
  clearTimeout(timer);
  timer = setTimeout(() => void buildNow(), delay);
  build.value = { phase: "building", built: build.value.built };
}

/** Whether a task may have defaults that its parameters don't tell, by the option `defaults`. */
export function mayHaveOtherDefaults(): boolean {
  return /\bdefaults\s*:/.test(source.value);
}

/** The source as the engine takes it. */
function workflowSource(text: string = source.value): WorkflowSource {
  return { entry: "workflow.ts", files: { "workflow.ts": text } };
}

/** Builds what is in the editor. @returns nothing if it has errors, or was changed meanwhile */
export async function buildNow(): Promise<BuiltWorkflow | undefined> {
  clearTimeout(timer);
  const mine = ++turn;
  build.value = { phase: "building", built: build.value.built };
  try {
    const built = await (await getEngine()).build(workflowSource());
    if (mine !== turn) return undefined;
    build.value = { phase: "ready", built };
    const names = built.manifest.tasks.map(({ fullname }) => fullname);
    if (!names.includes(chosenTask.value))
      chosenTask.value = names.find((name) => /(^|\.)main$/.test(name)) ?? names[0] ?? "";
    return built;
  } catch (error) {
    if (mine !== turn) return undefined;
    const place = buildPlace(error);
    build.value = { phase: "failed", message: errorText(error), place, built: build.value.built };
    return undefined;
  }
}
