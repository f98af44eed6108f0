/** A page of its own for tests, which runs the engine and is gone with its frame. */
import "./dynamic-imports.ts";
import { startEngine } from "../../src/browser/start-engine.ts";

const { repo, urls } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
Object.assign(globalThis, { engine: startEngine({ repo, workers: 2, urls }) });
