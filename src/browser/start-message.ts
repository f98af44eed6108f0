import type { EngineInfo } from "./engine-api.ts";

/** What the page that starts an engine says to its worker. */
export interface StartMessage {
  readonly repo: string;
  /** Id of the engine among those that the repository has had. */
  readonly engine: string;
  readonly version: string;
  readonly workers: number;
  readonly store: EngineInfo["store"] | undefined;
  /** Absolute addresses. */
  readonly urls: { readonly job: string | undefined; readonly esbuild: string };
}
