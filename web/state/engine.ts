/** The engines of this page: that of the tab, and one for each repository of an instance. Each starts when it is first needed. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Engine, EngineInfo } from "../../src/browser/engine-api.ts";
import { startEngine } from "../../src/browser/start-engine.ts";
import type { ExecutionSummary } from "../../src/server/api-types.ts";
import { errorText } from "../lib/errors.ts";
import { followEvents } from "./live.ts";
import { type Place, TAB } from "./place.ts";
import { place } from "./router.ts";

/** An engine, wherever it is. */
export interface PlaceEngine extends Engine {
  /** Has the events of an execution told, where they are not told anyway. @returns whether it is at work */
  follow?(executionId: string): Promise<boolean>;
  /** Calls a listener with what is at work whenever executions have begun or ended. @returns what stops it */
  watch?(listener: (atWork: readonly ExecutionSummary[]) => void): () => void;
}

/** How far the start of the tab's engine has come. */
export type EngineState =
  | { readonly phase: "starting" }
  | { readonly phase: "ready"; readonly info: EngineInfo }
  | { readonly phase: "failed"; readonly message: string };

const state = signal<EngineState>({ phase: "starting" });

/** For the app's frame. */
export const engineState: ReadonlySignal<EngineState> = state;

let started: Promise<Engine> | undefined;

/** The engine of a place. @param at - by default where one works */
export async function getEngine(at: Place = place.value): Promise<PlaceEngine> {
  if (at.kind === "tab") return getTabEngine();
  const { remoteEngine } = await import("../remote/connections.ts");
  return remoteEngine(at);
}

/** The engine of this tab, which also builds what runs elsewhere, once it has started. */
export function getTabEngine(): Promise<Engine> {
  started ??= start().catch((error: unknown) => {
    state.value = { phase: "failed", message: errorText(error) };
    // The next one to ask tries again.
    started = undefined;
    throw error;
  });
  return started;
}

async function start(): Promise<Engine> {
  const base = new URL(".", location.href);
  const at = (path: string): URL => new URL(path, base);
  const engine = await startEngine({
    urls: { engine: at(ASSETS.engine), job: at(ASSETS.job), esbuild: at(ASSETS.esbuild) },
  });
  await followEvents(engine, TAB);
  await refreshInfo(engine);
  engine.onMoved(() => void refreshInfo(engine));
  return engine;
}

async function refreshInfo(engine: Engine): Promise<void> {
  state.value = { phase: "ready", info: await engine.info() };
}

/** Asks the tab's engine again for what it says about itself. */
export async function updateEngineInfo(): Promise<void> {
  await refreshInfo(await getTabEngine());
}
