import type { Backend } from "../backend/backend.ts";
import type { TestFunctions } from "../util/test-functions.ts";
import { checkImports } from "./contract-import.ts";
import { checkLookup } from "./contract-lookup.ts";
import { checkQueries } from "./contract-query.ts";
import { checkSync } from "./contract-sync.ts";
import { checkTags } from "./contract-tags.ts";
import { checkWrites } from "./contract-write.ts";

/** One fresh store for a test. */
export interface BackendFixture {
  /** An empty store, which is not loaded yet. */
  readonly backend: Backend;
  /** Gives a second object for the same store, after the first is closed; for stores that last. */
  readonly reopen?: () => Backend;
  /** Removes all traces, after the store is closed. */
  readonly close?: () => Promise<void>;
}

/** What a store may be unable to do. `rollback` is that a batch which fails half-way leaves no trace. */
export type BackendFeature = "rollback";

/** Options of {@link describeBackend}. */
export interface BackendContractOptions extends TestFunctions {
  /** The features that are lacking, each with the reason. */
  readonly skip?: Readonly<Partial<Record<BackendFeature, string>>>;
}

/** What a group of checks works with. */
export interface BackendChecks extends Omit<TestFunctions, "test"> {
  /** Defines a test on a store of its own. */
  readonly check: (
    title: string,
    body: (backend: Backend, another: () => Promise<Backend>) => Promise<void>,
    needs?: readonly BackendFeature[],
  ) => void;
  /** Defines a test on two objects for one store, of which the second is opened by the body after the first. */
  readonly checkLasting: (
    title: string,
    body: (first: Backend, reopen: () => Promise<Backend>) => Promise<void>,
  ) => void;
}

/**
 * Checks that a store does what its port promises.
 *
 * @example
 * ```ts
 * import { describeBackend, MemoryBackend } from "redun/testing";
 * import { describe, expect, test } from "vitest";
 *
 * describeBackend("memory", async () => ({ backend: new MemoryBackend() }), {
 *   describe, test, expect, skip: { rollback: "a write to memory does not fail half-way" },
 * });
 * ```
 * @param create - makes a store for one test
 */
export function describeBackend(
  name: string,
  create: () => Promise<BackendFixture>,
  options: BackendContractOptions,
): void {
  const { describe, test, expect, skip = {} } = options;

  const check: BackendChecks["check"] = (title, body, needs = []) => {
    const run = async (): Promise<void> => {
      const opened: BackendFixture[] = [];
      const open = async (): Promise<Backend> => {
        const fixture = await create();
        opened.push(fixture);
        await fixture.backend.load();
        return fixture.backend;
      };
      try {
        await body(await open(), open);
      } finally {
        for (const { backend, close } of opened) {
          await backend.close();
          await close?.();
        }
      }
    };
    const lacking = needs.find((feature) => skip[feature] !== undefined);
    if (lacking === undefined) test(title, run);
    else test.skip(`${title} (skipped: ${skip[lacking]})`, run);
  };

  const checkLasting: BackendChecks["checkLasting"] = (title, body) => {
    test(title, async () => {
      const { backend, reopen, close } = await create();
      if (reopen === undefined) return;
      const opened = [backend];
      await backend.load();
      try {
        await body(backend, async () => {
          await opened.at(-1)!.close();
          const next = reopen();
          opened.push(next);
          await next.load();
          return next;
        });
      } finally {
        await opened.at(-1)!.close();
        await close?.();
      }
    });
  };

  describe(`${name} backend`, () => {
    const checks: BackendChecks = { describe, expect, check, checkLasting };
    checkLookup(checks);
    checkWrites(checks);
    checkTags(checks);
    checkQueries(checks);
    checkSync(checks);
    checkImports(checks);
  });
}
