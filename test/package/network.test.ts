import { expect, test } from "vitest";
import { build } from "./workflow.ts";

const workflow = (exported: string): string =>
  `import { task } from "redun";\nexport const one = task("one", () => 1);\n${exported}`;

const networkOf = async (exported: string) => {
  const { manifest, warnings } = await build(workflow(exported));
  return { network: manifest.network, warnings };
};

test("a workflow names the hosts that it wants to reach", async () => {
  expect(await networkOf('export const redunNetwork = ["api.example.org", "*.example.com"];')).toEqual({
    network: ["api.example.org", "*.example.com"],
    warnings: undefined,
  });
  expect(await networkOf("export const redunNetwork: true = true;")).toMatchObject({ network: true });
  expect(
    await networkOf('const host = "example.org";\nexport const redunNetwork: string[] = ["api." + host];'),
  ).toMatchObject({ network: ["api.example.org"] });
});

test("a workflow that names none has nothing about it in its manifest", async () => {
  for (const exported of ["", "export const redunNetwork = false;", "export const redunNetwork = [];"]) {
    const { manifest } = await build(workflow(exported));
    expect(Object.keys(manifest)).not.toContain("network");
  }
});

test("a list that can't be read without running the workflow does not count, and is warned of", async () => {
  for (const value of ["[location.host]", '"example.org"', "hosts()", "[5n, ...more]"]) {
    const { network, warnings } = await networkOf(
      `declare const hosts: any, more: any;\nexport const redunNetwork = ${value};`,
    );
    expect(network).toBe(undefined);
    expect(warnings).toEqual([expect.stringContaining("redunNetwork does not count")]);
  }
});

test("what a workflow wants of the network changes its package and none of its tasks", async () => {
  const [without, with_] = await Promise.all([
    build(workflow("")),
    build(workflow('export const redunNetwork = ["example.org"];')),
  ]);
  expect(with_.hash).not.toBe(without.hash);
  expect(with_.manifest.tasks[0]!.hash).toBe(without.manifest.tasks[0]!.hash);
});
