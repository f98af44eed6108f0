import { describe, expect, test } from "vitest";
import { addSection, removeSection } from "../../src/cli/ini-edit.ts";
import { formatAddress, parseAddress } from "../../src/cli/remote/address.ts";
import { filesIn } from "../../src/cli/remote/arguments.ts";
import { tokenFile, tokenFor } from "../../src/cli/remote/tokens.ts";

describe("The address of a server", () => {
  test("may name a repository", () => {
    const cases: Record<string, [string, string | undefined]> = {
      "https://host": ["https://host", undefined],
      "HTTPS://Host:443/": ["https://host", undefined],
      "http://host:8787/team": ["http://host:8787", "team"],
      "http://host/team/?x=1": ["http://host", "team"],
      "http://host#team": ["http://host", "team"],
      "http://host/below/it#team": ["http://host/below/it", "team"],
      "http://host/below#": ["http://host/below", undefined],
      "http://[::1]:80/a%20b": ["http://[::1]", "a b"],
    };
    for (const [text, [url, repo]] of Object.entries(cases))
      expect([text, parseAddress(text)]).toEqual([text, { url, repo }]);
    expect(parseAddress("https://host/below", false)).toEqual({ url: "https://host/below", repo: undefined });
    for (const url of ["https://host", "https://host:8787/below/it"]) {
      for (const repo of ["default", "team", "a b#c"])
        expect(parseAddress(formatAddress({ url, repo })), `${url} ${repo}`).toMatchObject(
          url === "https://host" && repo === "default" ? { url } : { url, repo },
        );
    }
    expect(formatAddress({ url: "https://host", repo: "team" })).toBe("https://host#team");
    expect(formatAddress({ url: "https://host", repo: "default" })).toBe("https://host");
  });

  test("is refused without showing what may be secret", () => {
    for (const text of ["host", "ftp://me:secret@host", "https://me:secret@host", "//me:secret@host"]) {
      let message = "";
      try {
        parseAddress(text);
      } catch (error) {
        message = (error as Error).message;
      }
      expect(message).toMatch(/^Cannot use /);
      expect(message).not.toContain("secret");
    }
  });
});

test("Tokens are kept where each platform keeps a user's configuration", () => {
  const env = { HOME: "/home/me" };
  expect(tokenFile({ ...env, XDG_CONFIG_HOME: "/x" }, "linux")).toBe("/x/redun/servers.json");
  expect(tokenFile(env, "linux")).toBe("/home/me/.config/redun/servers.json");
  expect(tokenFile(env, "darwin")).toBe("/home/me/Library/Application Support/redun/servers.json");
  expect(tokenFile({ ...env, APPDATA: "/roaming" }, "win32")).toBe("/roaming/redun/servers.json");
});

test("A token of the environment is one word, and never shown", () => {
  expect(tokenFor("https://host", { REDUN_TOKEN: " redun_secret\r\n" })).toBe("redun_secret");
  for (const text of ["redun_secret\nmore", "redun_secret\u0007", "redun_sécret"]) {
    let told = "";
    try {
      tokenFor("https://host", { REDUN_TOKEN: text });
    } catch (error) {
      told = String(error);
    }
    expect(told).toContain("Cannot use REDUN_TOKEN: it is not a token");
    expect(told).not.toContain("redun_s");
  }
});

test("Files are found anywhere in an encoding, each once", () => {
  const hash = "0".repeat(40);
  const file = (path: string) => ({ $: ["redun.File", { path, hash }] });
  const set = { $: ["redun.FileSet", { pattern: "*.txt", hash }] };
  const args = [1, null, { a: [file("a"), file("b")], b: file("a") }, { $: ["Map", [["k", set]]] }];
  expect(filesIn(args).map(({ path }) => path)).toEqual(["a", "b", "*.txt"]);
});

test("Sections come into a configuration and go, and the rest stays", () => {
  const text = "# top\n[a]\nx = 1\n\n# about b\n[b]\ny = 2\n";
  const added = addSection(text, "repos.c", { server: "https://host" });
  expect(added).toBe(`${text}\n[repos.c]\nserver = https://host\n`);
  expect(removeSection(added, "repos.c").trimEnd()).toBe(text.trimEnd());
  expect(removeSection(text, "a")).toBe("# top\n\n# about b\n[b]\ny = 2\n");
  expect(removeSection(text, "none")).toBe(text);
  expect(addSection("", "a", { k: "v" })).toBe("[a]\nk = v\n");
});
