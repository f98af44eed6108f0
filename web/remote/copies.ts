/** Copies of executions between this tab and instances, one at a time. Each goes on while one looks at something else. */
import { type ReadonlySignal, signal } from "@preact/signals";
import { type SyncProgress, type SyncSource, type SyncTarget, syncRecords } from "../../src/backends/sync.ts";
import type { Engine } from "../../src/browser/engine-api.ts";
import { getTabEngine } from "../state/engine.ts";
import { noteChanges } from "../state/live.ts";
import type { Place } from "../state/place.ts";
import { remoteEngine } from "./connections.ts";

/** What is copied where. */
export interface CopyOrder {
  /** `push`: from this tab to the instance. */
  readonly direction: "push" | "pull";
  readonly at: Extract<Place, { kind: "instance" }>;
  /** Executions, or all. */
  readonly ids: readonly string[] | undefined;
}

/** How far a copy is. */
export interface Copy extends CopyOrder {
  readonly phase: "running" | "done" | "stopped" | "failed";
  readonly progress: SyncProgress;
  readonly error?: unknown;
}

const latest = signal<Copy | undefined>(undefined);

/** The latest copy. */
export const copy: ReadonlySignal<Copy | undefined> = latest;

const NOTHING: SyncProgress = { found: 0, missing: 0, sent: 0, added: 0 };

let isToStop = false;

/** Ends the copy after the batch that is on its way. What has come stays, and is not sent again. */
export function stopCopy(): void {
  isToStop = true;
}

/** Forgets a copy that is over. */
export function dismissCopy(): void {
  if (latest.value?.phase !== "running") latest.value = undefined;
}

const STOPPED: unique symbol = Symbol("stopped");

/** Copies, or goes on with a copy that was cut short: it finds out anew what is lacking. */
export async function startCopy(order: CopyOrder): Promise<void> {
  if (latest.value?.phase === "running") return;
  isToStop = false;
  let copy: Copy = { ...order, phase: "running", progress: NOTHING };
  const note = (changes: Partial<Copy>): void => {
    copy = { ...copy, ...changes };
    latest.value = copy;
  };
  note({});
  try {
    const [tab, there] = await Promise.all([getTabEngine(), remoteEngine(order.at)]);
    const [from, to] = order.direction === "push" ? [tab, there] : [there, tab];
    await syncRecords(sourceOf(from), targetOf(to), {
      ids: order.ids,
      onProgress: (progress) => {
        note({ progress });
        // The copy has no other way to be ended.
        if (isToStop) throw STOPPED;
      },
    });
    note({ phase: "done" });
  } catch (error) {
    note(error === STOPPED ? { phase: "stopped" } : { phase: "failed", error });
  }
  noteChanges();
}

function sourceOf(engine: Engine): SyncSource {
  return {
    async *reachable(ids) {
      yield await engine.reachable(ids);
    },
    exportRecords: (ids, options) => engine.query("exportRecords", ids, options),
  };
}

function targetOf(engine: Engine): SyncTarget {
  return {
    missing: (ids) => engine.query("missing", ids),
    importRecords: (records) => engine.importRecords(records),
  };
}
