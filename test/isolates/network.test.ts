import online from "package:online";
import trouble from "package:trouble";
import { describe, expect, test } from "vitest";
import { mayReach } from "../../src/executors/network-rules.ts";
import { executorOf } from "./executors.ts";
import { call } from "./setup.ts";

test("a workflow that does not ask for the network has none, and is told how to ask", async () => {
  const executor = executorOf([trouble], { allowNetwork: true });
  await expect(
    call(executor, trouble, "trouble.request", ["https://api.example.org/"]),
  ).rejects.toMatchObject({
    code: "executor",
    message: "Cannot fetch https://api.example.org: the workflow does not ask for the network",
    hint: expect.stringContaining("redunNetwork") as string,
  });
});

test("a workflow that asks has none where the operator does not allow it", async () => {
  const executor = executorOf([online]);
  await expect(call(executor, online, "online.request", ["https://api.example.org/"])).rejects.toMatchObject({
    message: "Cannot fetch https://api.example.org: the operator of this instance does not allow the network",
  });
  await expect(call(executor, online, "online.file", ["https://api.example.org/"])).rejects.toMatchObject({
    message: expect.stringContaining("does not allow the network") as string,
    hint: expect.stringContaining("operator") as string,
  });
  await expect(call(executor, online, "online.kept", ["https://api.example.org/"])).rejects.toMatchObject({
    message: expect.stringContaining("does not allow the network") as string,
  });
  await expect(call(executor, online, "online.raw", ["api.example.org:80"])).rejects.toThrow();
});

describe("a workflow that asks where the operator allows it", () => {
  const executor = executorOf([online], {
    allowNetwork: ["api.example.org", "www.example.com", "localhost"],
  });
  const request = (url: string) => call(executor, online, "online.request", [url]);

  test("reaches the hosts that both name", async () => {
    expect(await request("https://api.example.org/data")).toEqual([200, "api.example.org/data"]);
    expect(await request("http://www.example.com/")).toEqual([200, "www.example.com/"]);
    expect(await call(executor, online, "online.file", ["https://api.example.org/data"])).toBe(
      "api.example.org/data",
    );
  });

  test("reaches no others", async () => {
    await expect(request("https://elsewhere.example.net/")).rejects.toMatchObject({
      message: "Cannot fetch https://elsewhere.example.net: the workflow does not ask for this host",
    });
    await expect(request("https://other.example.com/")).rejects.toMatchObject({
      message:
        "Cannot fetch https://other.example.com: the operator of this instance does not allow this host",
    });
  });

  test("is not led there by a redirection", async () => {
    await expect(request("https://api.example.org/elsewhere")).rejects.toThrow(
      "the host other.example.com is not among those that may be reached",
    );
  });

  test("can't have Cloudflare go elsewhere or keep answers", async () => {
    const told = await call(executor, online, "online.rerouted", ["https://api.example.org/cf"]);
    for (const name of ["resolveOverride", "cacheEverything", "cacheKey"]) expect(told).not.toContain(name);
  });

  test("reaches no address within, by name or number", async () => {
    for (const host of ["localhost", "127.0.0.1", "2130706433", "[::1]"]) {
      await expect(request(`http://${host}:8787/`)).rejects.toMatchObject({ code: "executor" });
    }
  });

  test("opens no other connection", async () => {
    const raw = await call(executor, online, "online.raw", ["api.example.org:80"]).catch(() => "nothing");
    expect(raw).toBe("nothing");
  });
});

test("rules of hosts", () => {
  const allowed = (url: string, ...lists: (true | string[])[]) => mayReach(new URL(url), lists);
  expect(allowed("https://example.org/", true)).toBe(true);
  expect(allowed("https://EXAMPLE.org./", ["Example.org"])).toBe(true);
  expect(allowed("https://a.example.org/", ["example.org"])).toBe(false);
  expect(allowed("https://a.b.example.org/", ["*.example.org"])).toBe(true);
  expect(allowed("https://example.org/", ["*.example.org"])).toBe(false);
  expect(allowed("https://badexample.org/", ["*.example.org"])).toBe(false);
  expect(allowed("https://example.org/", true, ["example.com"])).toBe(false);
  expect(allowed("ftp://example.org/", true)).toBe(false);
  for (const host of [
    "localhost",
    "a.localhost",
    "metadata.internal",
    "10.0.0.1",
    "0x7f.1",
    "[::1]",
    "printer",
  ]) {
    expect(allowed(`http://${host}/`, true), host).toBe(false);
  }
});
