/** The one engine of this page. It is started when something first needs it. */
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Engine, EngineInfo } from "../../src/browser/engine-api.ts";
import { startEngine } from "../../src/browser/start-engine.ts";
import { errorText } from "../lib/errors.ts";
import { followEvents } from "./live.ts";

/** How far the engine's start has come. */
export type EngineState =
  | { readonly phase: "starting" }
  | { readonly phase: "ready"; readonly info: EngineInfo }
  | { readonly phase: "failed"; readonly message: string };

const state = signal<EngineState>({ phase: "starting" });

/** For the app's frame. */
export const engineState: ReadonlySignal<EngineState> = state;

let started: Promise<Engine> | undefined;

/** The engine, once it has started. */
export function getEngine(): Promise<Engine> {
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
  await followEvents(engine);
  await refreshInfo(engine);
  engine.onMoved(() => void refreshInfo(engine));
  return engine;
}

async function refreshInfo(engine: Engine): Promise<void> {
  state.value = { phase: "ready", info: await engine.info() };
}

/** Asks the engine again for what it says about itself. */
export async function updateEngineInfo(): Promise<void> {
  await refreshInfo(await getEngine());
}
