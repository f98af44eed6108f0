/** The workflow in the editor: its source, what its build came to, and which task is chosen. */
import { type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { BuiltWorkflow } from "../../src/browser/engine-api.ts";
import { type BuildPlace, buildPlace, errorText } from "../lib/errors.ts";
import type { SharedWorkflow } from "../lib/share.ts";
import { ENTRY, joinedText, otherFiles, type Sources } from "../lib/sources.ts";
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
/** The workflow's files. */
export const sources: Signal<Sources> = signal({ [ENTRY]: "" });
/** The file in the editor. */
export const openFile: Signal<string> = signal(ENTRY);
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
  openFile.value = ENTRY;
  writeSetting("draft", name);
  setSources({ ...readOthers(name), [ENTRY]: text }, 0);
  sourceRevision.value++;
}

function readOthers(name: string): Sources {
  try {
    return otherFiles(JSON.parse(readSetting(othersKey(name)) ?? "{}"));
  } catch {
    return {};
  }
}

const othersKey = (name: string): string => `draft.${name}.files`;

function writeOthers(name: string, { [ENTRY]: _, ...others }: Sources): void {
  writeSetting(othersKey(name), Object.keys(others).length === 0 ? undefined : JSON.stringify(others));
}

/** Takes a workflow that came with a link as the draft of its own name. Nothing of it runs. */
export function takeShared(shared: SharedWorkflow): void {
  writeSetting(`draft.${SHARED}`, shared.source);
  writeOthers(SHARED, shared.files ?? {});
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

/** Whether an example was changed. */
export function isChanged(): boolean {
  const example = openExample();
  if (example === undefined) return false;
  return sources.value[ENTRY] !== example.text || Object.keys(sources.value).length > 1;
}

/** Takes a change of the editor. */
export function edit(text: string): void {
  if (text === sources.value[openFile.value]) return;
  keep({ ...sources.value, [openFile.value]: text }, BUILD_DELAY);
}

/** Adds a file and opens it. Its name is one that {@link nameProblem} has nothing against. */
export function addSource(name: string): void {
  keep({ ...sources.value, [name]: "" }, BUILD_DELAY);
  showFile(name);
}

/** Gives the open file another name. */
export function renameSource(name: string): void {
  const { [openFile.value]: text = "", ...others } = sources.value;
  keep({ ...others, [name]: text }, BUILD_DELAY);
  showFile(name);
}

/** Removes the open file, which is not the main one. */
export function removeSource(): void {
  const { [openFile.value]: _, ...others } = sources.value;
  keep(others, BUILD_DELAY);
  showFile(ENTRY);
}

/** Shows a file in the editor. */
export function showFile(name: string): void {
  openFile.value = name;
}

/** Goes back to the example's own text. */
export function discardDraft(): void {
  const example = openExample();
  if (example === undefined) return;
  keep({ [ENTRY]: example.text }, BUILD_DELAY);
  showFile(ENTRY);
  sourceRevision.value++;
}

/** Remembers files as the draft that is open, and builds them in a moment. */
function keep(next: Sources, delay: number): void {
  const isOriginal = next[ENTRY] === openExample()?.text;
  writeSetting(`draft.${draftName.value}`, isOriginal ? undefined : next[ENTRY]);
  writeOthers(draftName.value, next);
  setSources(next, delay);
}

function setSources(next: Sources, delay: number): void {
  sources.value = next;
  clearTimeout(timer);
  timer = setTimeout(() => void buildNow(), delay);
  build.value = { phase: "building", built: build.value.built };
}

/** Whether a task may have defaults that its parameters don't tell, by the option `defaults`. */
export function mayHaveOtherDefaults(): boolean {
  return /\bdefaults\s*:/.test(joinedText(sources.value));
}

/** Builds what is in the editor. @returns nothing if it has errors, or was changed meanwhile */
export async function buildNow(): Promise<BuiltWorkflow | undefined> {
  clearTimeout(timer);
  const mine = ++turn;
  build.value = { phase: "building", built: build.value.built };
  try {
    const built = await (await getEngine()).build({ entry: ENTRY, files: sources.value });
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
