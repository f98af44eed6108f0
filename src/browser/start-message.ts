import type { ErrorRecord } from "../errors/redun-error.ts";
import type { StoreKind } from "./open-store.ts";

/** What an engine needs to start. */
export interface StartMessage {
  readonly type: "start";
  readonly repo: string;
  /** Id of the engine among those that the repository has had. */
  readonly engine: string;
  readonly version: string;
  readonly workers: number;
  readonly store: StoreKind | undefined;
  /** Absolute addresses. */
  readonly urls: { readonly job: string | undefined; readonly esbuild: string };
}

/** What the page that starts an engine says to its worker. */
export type ToEngine = StartMessage | { readonly type: "ping" | "close" };

/** What the worker says to that page. */
export type FromEngine =
  | { readonly type: "ready" | "pong" | "closed" | "ended" }
  | { readonly type: "failed"; readonly error: ErrorRecord };
