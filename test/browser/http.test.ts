import { expect, test } from "vitest";
import { commands } from "vitest/browser";
import { HttpFileSystem } from "../../src/file-systems/http.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

test("a file of another site is read, and in part, where that site allows it", async () => {
  const allowed = await commands.serveText("0123456789", { "Access-Control-Allow-Origin": "*" });
  const files = new HttpFileSystem();
  expect(text(await files.read(allowed))).toBe("0123456789");
  expect(text(await files.read(allowed, { offset: 3, length: 4 }))).toBe("3456");
});

test("a file of another site that does not allow it fails, and the error says what to do", async () => {
  const refused = await commands.serveText("secret", {});
  await expect(new HttpFileSystem().read(refused)).rejects.toMatchObject({
    code: "file",
    message: expect.stringContaining(refused),
    hint: expect.stringContaining("Access-Control-Allow-Origin"),
  });
});
