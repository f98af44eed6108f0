import { expect, test } from "vitest";
import { tagHash } from "../../src/backend/tags.ts";
import { MemoryBackend } from "../../src/backends/memory-backend.ts";
import { RESUMES, storedOutcome } from "../../src/browser/stored-outcome.ts";
import { Scheduler, task } from "../../src/index.ts";

const inc = task("outcome.inc", (n: number) => n + 1);

/** Says that one execution went on in the place of another. */
async function resume(backend: MemoryBackend, later: string, earlier: string): Promise<void> {
  const hash = tagHash(later, RESUMES, earlier);
  await backend.addTags([
    { tagHash: hash, entityType: "Execution", entityId: later, key: RESUMES, value: earlier, parents: [] },
  ]);
}

test("an execution that went on under other ids has the last one's outcome", async () => {
  const backend = new MemoryBackend();
  const ids = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()] as const;
  const scheduler = new Scheduler({ backend });
  for (const [i, executionId] of ids.entries()) await scheduler.run(inc(i), { executionId });
  await resume(backend, ids[1], ids[0]);
  await resume(backend, ids[2], ids[1]);
  expect(await storedOutcome(backend, ids[0])).toMatchObject({ status: "DONE", value: "3" });
});

test("records that lead round in a circle end nowhere else than at an execution of the circle", async () => {
  const backend = new MemoryBackend();
  const ids = [crypto.randomUUID(), crypto.randomUUID()] as const;
  const scheduler = new Scheduler({ backend });
  for (const executionId of ids) await scheduler.run(inc(1), { executionId });
  await resume(backend, ids[1], ids[0]);
  await resume(backend, ids[0], ids[1]);
  expect(await storedOutcome(backend, ids[0])).toMatchObject({ status: "DONE", value: "2" });
  await resume(backend, ids[0], ids[0]);
  expect(await storedOutcome(backend, ids[0])).toMatchObject({ status: "DONE" });
});
