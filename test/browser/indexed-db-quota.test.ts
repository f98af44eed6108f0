import { describe, expect, test } from "vitest";
import { cdp } from "vitest/browser";
import { batchOf, hashOf, valueRecord } from "../../src/backends/contract-records.ts";
import type { IndexedDbBackend } from "../../src/backends/indexed-db-backend.ts";
import { Scheduler, task } from "../../src/index.ts";
import { open } from "./indexed-db-setup.ts";

describe("a full disk", () => {
  const text = (i: number): string => `${i}${hashOf(String(i)).repeat(5000)}`;
  const large = task("indexedDb.large", (i: number) => text(i));

  async function limit(quotaSize?: number): Promise<void> {
    await cdp().send("Storage.overrideQuotaForOrigin", {
      origin: location.origin,
      ...(quotaSize === undefined ? {} : { quotaSize }),
    });
  }

  /** Waits until Chromium looks at the limit: for half a minute it trusts what it knew of the room there was. */
  async function enforced(backend: IndexedDbBackend): Promise<void> {
    let attempts = 0;
    const attempt = (): Promise<string> =>
      backend.write(batchOf({ values: [valueRecord(`${++attempts}${"x".repeat(3_000_000)}`)] })).then(
        () => "room",
        () => "full",
      );
    await expect.poll(attempt, { timeout: 60_000, interval: 500 }).toBe("full");
  }

  test("is told with what is used, keeps the result of a run, and leaves the store usable", {
    timeout: 90_000,
  }, async () => {
    const { usage = 0 } = await navigator.storage.estimate();
    await limit(usage + 2_000_000);
    const backend = await open();
    await enforced(backend);
    const scheduler = new Scheduler({ backend });
    const calls = Array.from({ length: 40 }, (_, i) => large(i));
    try {
      const failure = await scheduler.run(calls).then(
        () => undefined,
        (error) => error,
      );
      expect(failure).toMatchObject({ code: "backend" });
      expect(failure.message).toMatch(
        /gives this site no more room, and says that [\d.]+ \w+ of [\d.]+ \w+ are used$/,
      );
      expect(failure.result).toEqual(calls.map((_, i) => text(i)));
    } finally {
      await limit();
    }
    expect(await new Scheduler({ backend }).run(large(1))).toBe(text(1));
  });
});
