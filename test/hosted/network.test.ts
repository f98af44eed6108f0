import { afterEach, expect, test, vi } from "vitest";
import { allowedFetch } from "../../src/cloudflare/network.ts";

const web = (answers: Readonly<Record<string, Response>>) =>
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input) => answers[String(input)]!.clone());
const moved = (location: string): Response => new Response(null, { status: 302, headers: { location } });

afterEach(() => {
  vi.restoreAllMocks();
});

test("only allowed hosts are reached", async () => {
  const asked = web({ "https://api.example.org/": new Response("hello") });
  const get = allowedFetch(["api.example.org", "127.0.0.1"]);
  expect(await (await get("https://api.example.org/", {})).text()).toBe("hello");
  for (const url of ["https://example.org/", "http://127.0.0.1/", "ftp://api.example.org/"])
    await expect(get(url, {})).rejects.toThrow("is not among those that may be reached");
  await expect(allowedFetch(false)("https://api.example.org/", {})).rejects.toThrow("not among those");
  expect(asked).toHaveBeenCalledTimes(1);
});

test("redirections lead to allowed hosts, and not on for ever", async () => {
  const asked = web({
    "https://api.example.org/good": moved("/end"),
    "https://api.example.org/end": new Response("end"),
    "https://api.example.org/bad": moved("https://metadata.internal/"),
    "https://api.example.org/loop": moved("/loop"),
  });
  const get = allowedFetch(["api.example.org"]);
  expect(await (await get("https://api.example.org/good", {})).text()).toBe("end");
  await expect(get("https://api.example.org/bad", {})).rejects.toThrow("metadata.internal");
  await expect(get("https://api.example.org/loop", {})).rejects.toThrow("more than 10 times");
  for (const [, init] of asked.mock.calls) expect(init).toMatchObject({ redirect: "manual" });
});
