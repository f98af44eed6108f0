import { expect, test, vi } from "vitest";
import { readSettings, type WorkerEnv } from "../../src/cloudflare/settings.ts";
import { createWorker } from "../../src/cloudflare.ts";
import { env } from "./instance.ts";

const settings = (variables: Partial<WorkerEnv>): ReturnType<typeof readSettings> =>
  readSettings({ ...env, ...variables });

test("without variables there is no network, no other site, and no limit of one's own", () => {
  expect(settings({})).toEqual({
    ...{ allowNetwork: false, corsOrigins: [], limits: {} },
    ...{ maxRunning: undefined, maxQueued: undefined, maxBody: undefined },
  });
});

test("variables are lists and numbers", () => {
  expect(
    settings({
      REDUN_ALLOW_NETWORK: "api.example.org, *.example.com",
      REDUN_CORS_ORIGINS: "https://app.example.org,http://localhost:5173",
      REDUN_LIMITS: "db=2, api=10",
      REDUN_MAX_RUNNING: "4",
      REDUN_MAX_QUEUED: 10,
      REDUN_MAX_JOB_SECONDS: "60",
      REDUN_MAX_TURN_SECONDS: 20,
      REDUN_MAX_BODY: "",
    }),
  ).toEqual({
    allowNetwork: ["api.example.org", "*.example.com"],
    corsOrigins: ["https://app.example.org", "http://localhost:5173"],
    limits: { db: 2, api: 10 },
    ...{ maxRunning: 4, maxQueued: 10, maxJobMs: 60_000, turnMs: 20_000, maxBody: undefined },
  });
  expect(settings({ REDUN_ALLOW_NETWORK: "all" }).allowNetwork).toBe(true);
});

test.each([
  [{ REDUN_ALLOW_NETWORK: "https://example.org" }, "REDUN_ALLOW_NETWORK"],
  [{ REDUN_ALLOW_NETWORK: "localhost" }, "REDUN_ALLOW_NETWORK"],
  [{ REDUN_CORS_ORIGINS: "*" }, "REDUN_CORS_ORIGINS"],
  [{ REDUN_CORS_ORIGINS: "https://example.org/" }, "REDUN_CORS_ORIGINS"],
  [{ REDUN_LIMITS: "db" }, "REDUN_LIMITS"],
  [{ REDUN_LIMITS: "db=-1" }, "REDUN_LIMITS"],
  [{ REDUN_MAX_RUNNING: "0" }, "REDUN_MAX_RUNNING"],
  [{ REDUN_MAX_BODY: "1e999" }, "REDUN_MAX_BODY"],
] as const)("a malformed variable is refused by its name: %o", (variables, name) => {
  expect(() => settings(variables)).toThrow(
    expect.objectContaining({ code: "settings", message: expect.stringContaining(name) }),
  );
});

test("a Worker with a malformed variable says so in every answer and in its log", async () => {
  const log = vi.spyOn(console, "error").mockImplementation(() => {});
  const worker = createWorker({ version: "test" });
  const answer = (): Promise<Response> =>
    worker.fetch(new Request("http://localhost/api/v1/health"), { ...env, REDUN_LIMITS: "db" });
  for (const response of [await answer(), await answer()]) {
    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: {
        code: "settings",
        message: 'Cannot read the variable REDUN_LIMITS: "db" is malformed',
        hint: "Write NAME=NUMBER, such as db=2.",
      },
    });
  }
  expect(String(log.mock.calls[0])).toContain("REDUN_LIMITS");
  log.mockRestore();
});
