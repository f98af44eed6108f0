import { expect } from "vitest";
import { describeBackend } from "../../src/backends/contract.ts";
import { OpfsSqliteBackend } from "../../src/backends/opfs-sqlite-backend.ts";
import { removeOpfsSqlite } from "../../src/backends/sqlite-wasm-driver.ts";
import { serveSuite } from "./worker-suite.ts";

serveSuite((functions) => {
  describeBackend(
    "SQLite on OPFS",
    async () => {
      const name = `test ${crypto.randomUUID()}`;
      return {
        backend: new OpfsSqliteBackend(name),
        reopen: () => new OpfsSqliteBackend(name),
        close: () => removeOpfsSqlite(name),
      };
    },
    { ...functions, expect },
  );
});
