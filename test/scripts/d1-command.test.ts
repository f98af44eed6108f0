import { expect, test } from "vitest";
import { literalSql } from "../../scripts/d1-command.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";

test("values are written into a statement as SQLite reads them back", async () => {
  const db = await openSqlite(":memory:");
  const values = [
    "it's",
    "'; DROP TABLE token; --",
    "",
    "? and ?1",
    "ü\n",
    0,
    -1.5,
    1e21,
    null,
    new Uint8Array([0, 255]),
  ];
  for (const value of values) {
    const [row] = db.prepare(literalSql(["SELECT ? AS value", value])).all();
    expect(row).toEqual({ value });
  }
  expect(literalSql(["SELECT '?', ?2, ?1, 'it''s ?'", "a", "b"])).toBe("SELECT '?', 'b', 'a', 'it''s ?'");
  expect(() => literalSql(["SELECT ?, ?", 1])).toThrow("? has no value");
  db.close();
});
