import { beforeAll, describe, expect, test, vi } from "vitest";
import { errorText } from "../../web/lib/errors.ts";
import { engineEvent } from "../../web/remote/remote-events.ts";
import {
  HERE,
  hostOf,
  instanceOf,
  isOpen,
  placeKey,
  placeParts,
  TAB,
  typedInstance,
  urlOf,
} from "../../web/state/place.ts";

beforeAll(() => {
  vi.stubGlobal("location", { href: "https://redun.example.org/#/executions" });
});

describe("places", () => {
  test("are named by the address of their instance and their repository", () => {
    const at = { kind: "instance", instance: HERE, repo: "team" } as const;
    expect(placeParts(at)).toEqual(["at", "here", "team"]);
    expect(placeParts(TAB)).toEqual([]);
    expect(placeKey(at)).not.toBe(placeKey({ ...at, repo: "other" }));
    expect([urlOf(HERE), hostOf(HERE)]).toEqual(["https://redun.example.org", "redun.example.org"]);
    expect(hostOf("http://localhost:8787/redun")).toBe("localhost:8787/redun");
  });

  test.each([
    ["here", HERE],
    ["https://redun.example.org/", HERE],
    ["http://localhost:8787/", "http://localhost:8787"],
    ["HTTPS://Other.example.org/redun/", "https://other.example.org/redun"],
    ["javascript:alert(1)", undefined],
    ["file:///etc/passwd", undefined],
    ["https://user:secret@example.org", undefined],
    ["https://example.org/?token=x", undefined],
    ["example.org", undefined],
    ["", undefined],
  ])("take %j for %j", (text, id) => {
    expect(instanceOf(text)).toBe(id);
  });

  test.each([
    ["other.example.org", "https://other.example.org", false],
    ["other.example.org:8443/redun", "https://other.example.org:8443/redun", false],
    ["http://other.example.org", "http://other.example.org", true],
    ["localhost:8787", "http://localhost:8787", false],
    ["127.0.0.1:8787", "http://127.0.0.1:8787", false],
    ["[::1]:8787", "http://[::1]:8787", false],
    ["localhost.example.org", "https://localhost.example.org", false],
    ["redun.example.org", HERE, false],
  ])("typed as %j are %j, open to others: %j", (text, id, open) => {
    expect(typedInstance(text)).toBe(id);
    expect(isOpen(id)).toBe(open);
  });
});

test("an error of an instance says when to try again", () => {
  const error = Object.assign(new Error("Cannot start: 1000 executions wait already"), {
    hint: "Try again later.",
    retryAfter: 9.2,
  });
  expect(errorText(error)).toBe(
    "Cannot start: 1000 executions wait already\nTry again later.\nTry again in 10 s.",
  );
  expect(errorText({ message: "Wait.", retryAfter: 375 })).toBe("Wait.\nTry again in 7 minutes.");
});

describe("events of an instance", () => {
  const job = { id: "j", parentId: null, task: "a.main", call: "a.main(1)" };

  test("are those of an engine, under the execution that is at work", () => {
    const end = { seq: 4, time: 5, type: "job-end", job, status: "CACHED", callHash: "c" } as const;
    expect(engineEvent(end, "x")).toEqual([
      { executionId: "x", time: 5, type: "job-end", job, status: "CACHED", callHash: "c" },
    ]);
    expect(engineEvent({ seq: 3, time: 5, type: "job-cached", job }, "x")).toEqual([]);
    const retry = { seq: 3, time: 5, type: "job-retry", job, attempt: 2, message: "Error: no" } as const;
    expect(engineEvent(retry, "x")).toEqual([
      { executionId: "x", time: 5, type: "job-log", jobId: "j", line: "Attempt 2 after: Error: no" },
    ]);
  });

  test("leave out a result that has to be asked for", () => {
    const base = { seq: 9, time: 5, type: "execution-end", executionId: "x" } as const;
    const done = { status: "DONE", valueHash: "v", preview: "1" } as const;
    expect(engineEvent({ ...base, outcome: { ...done, value: "1" } }, "x")).toMatchObject([
      { status: "DONE", outcome: { status: "DONE", value: "1", valueHash: "v" } },
    ]);
    const [event] = engineEvent({ ...base, outcome: done }, "x");
    expect(event).toMatchObject({ type: "execution-end", status: "DONE" });
    expect(event).not.toHaveProperty("outcome");
  });
});
