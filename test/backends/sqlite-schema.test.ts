import { describe, expect, test } from "vitest";
import {
  batchOf,
  callOf,
  fileOf,
  hashOf,
  idOf,
  tagOf,
  taskOf,
  valueRecord,
} from "../../src/backends/contract-records.ts";
import { story } from "../../src/backends/contract-story.ts";
import { SqlBackend } from "../../src/backends/sql-backend.ts";
import type { SqlDriver } from "../../src/backends/sql-driver.ts";
import {
  LATEST_VERSION,
  MIGRATIONS,
  migrate,
  resolveVersion,
  schemaVersion,
} from "../../src/backends/sql-schema.ts";
import { SqliteBackend } from "../../src/backends/sqlite-backend.ts";
import { openSqlite } from "../../src/backends/sqlite-driver.ts";
import { problems, rowsOf, tempStore } from "./files.ts";

const { tasks, values, calls } = story;

/** What a store consists of, as SQLite describes it. */
const objects = (db: SqlDriver): unknown[] =>
  db.prepare("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY name").all();

describe("migrations", () => {
  test("are numbered upwards, and lead to the latest version", () => {
    const versions = MIGRATIONS.map(({ version }) => version.split(".").map(Number));
    for (const [i, [major = 0, minor = 0]] of versions.entries()) {
      const [before = 0, below = -1] = versions[i - 1] ?? [];
      expect(major > before || (major === before && minor > below)).toBe(true);
    }
    expect(LATEST_VERSION).toBe(MIGRATIONS.at(-1)!.version);
    for (const { description } of MIGRATIONS) expect(description).toMatch(/\w+\.$/);
  });

  test("go up and down step by step, to the same schema each time", async () => {
    const db = await openSqlite(tempStore());
    migrate(db, "0.0");
    const empty = objects(db);
    const schemas = [empty];
    for (const { version } of MIGRATIONS) {
      migrate(db, version);
      expect(schemaVersion(db)).toBe(version);
      schemas.push(objects(db));
    }
    for (let i = MIGRATIONS.length - 1; i >= 0; i--) {
      expect(objects(db)).toEqual(schemas[i + 1]);
      const below = MIGRATIONS[i - 1]?.version ?? "0.0";
      migrate(db, below);
      expect(schemaVersion(db)).toBe(below);
      expect(objects(db)).toEqual(schemas[i]);
    }
    migrate(db, LATEST_VERSION);
    migrate(db, LATEST_VERSION);
    expect(objects(db)).toEqual(schemas.at(-1));
    db.close();
  });

  test("leave one line each in redun_version", async () => {
    const path = tempStore();
    const backend = new SqliteBackend(path);
    await backend.load();
    await backend.close();
    await backend.load();
    await backend.close();
    const rows = rowsOf(path, "SELECT * FROM redun_version");
    expect(rows.map(({ version, minor }) => `${version}.${minor}`)).toEqual(
      MIGRATIONS.map(({ version }) => version),
    );
    expect(rows[0]!.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(Date.parse(String(rows[0]!.timestamp))).toBeGreaterThan(0);
  });

  test("take versions as text", () => {
    expect(resolveVersion("latest")).toBe(LATEST_VERSION);
    expect(resolveVersion("1.0")).toBe("1.0");
    expect(resolveVersion("1")).toMatch(/^1\.\d+$/);
    for (const text of ["1.0.0", "one", "", "1.", "-1", "999", "1.999"]) {
      expect(() => resolveVersion(text)).toThrow(expect.objectContaining({ code: "backend-version" }));
    }
  });
});

describe("the views", () => {
  const open = async (): Promise<{ path: string; backend: SqliteBackend }> => {
    const path = tempStore();
    const backend = new SqliteBackend(path);
    await backend.load();
    return { path, backend };
  };

  test("have the documented columns", async () => {
    const { path, backend } = await open();
    const documented = {
      redun_version: "id version minor timestamp",
      value: "value_hash type format value",
      subvalue: "value_hash parent_value_hash",
      file: "value_hash path",
      task: "hash name namespace source",
      evaluation: "eval_hash task_hash args_hash value_hash",
      call_node: "call_hash task_name task_hash args_hash value_hash timestamp",
      call_edge: "parent_id child_id call_order",
      call_subtree_task: "call_hash task_hash",
      argument: "arg_hash call_hash value_hash arg_position arg_key",
      argument_result: "arg_hash result_call_hash",
      execution: "id args job_id updated_time",
      job: "id start_time end_time task_hash cached call_hash parent_id execution_id",
      tag: "tag_hash entity_type entity_id key value is_current",
      tag_edit: "parent_id child_id",
    };
    for (const [table, columns] of Object.entries(documented)) {
      const rows = rowsOf(path, `PRAGMA table_info(${table})`);
      expect(`${table}: ${rows.map(({ name }) => name).join(" ")}`).toBe(`${table}: ${columns}`);
    }
    await backend.close();
  });

  test("give records as text", async () => {
    const { path, backend } = await open();
    backend.write(story.batch);
    const one = (sql: string): unknown => {
      const rows = rowsOf(path, sql);
      expect(rows.length).toBe(1);
      return rows[0];
    };
    expect(one(`SELECT * FROM value WHERE value_hash = '${values.three.hash}'`)).toEqual({
      value_hash: values.three.hash,
      type: "number",
      format: values.three.format,
      value: "3",
    });
    expect(
      rowsOf(
        path,
        `SELECT value_hash FROM subvalue WHERE parent_value_hash = '${values.content.hash}' ORDER BY 1`,
      ),
    ).toEqual([values.copy.hash, values.inner.hash].sort().map((value_hash) => ({ value_hash })));
    expect(one("SELECT * FROM file WHERE path = 'data/in.txt'")).toEqual({
      value_hash: values.file.hash,
      path: "data/in.txt",
    });
    expect(one(`SELECT * FROM task WHERE hash = '${tasks.read.hash}'`)).toEqual({
      hash: tasks.read.hash,
      name: "read",
      namespace: "app.io",
      source: tasks.read.source,
    });
    expect(one(`SELECT * FROM evaluation WHERE eval_hash = '${calls.add.evalHash}'`)).toEqual({
      eval_hash: calls.add.evalHash,
      task_hash: tasks.add.hash,
      args_hash: calls.add.argsHash,
      value_hash: values.three.hash,
    });
    expect(one(`SELECT * FROM call_node WHERE call_hash = '${calls.main.callHash}'`)).toEqual({
      call_hash: calls.main.callHash,
      task_name: "app.main",
      task_hash: tasks.main.hash,
      args_hash: calls.main.argsHash,
      value_hash: values.result.hash,
      timestamp: "1970-01-01 00:00:01.300000",
    });
    expect(rowsOf(path, "SELECT * FROM call_edge ORDER BY call_order")).toEqual(
      [calls.read, calls.add, calls.add].map(({ callHash }, call_order) => ({
        parent_id: calls.main.callHash,
        child_id: callHash,
        call_order,
      })),
    );
    expect(
      rowsOf(
        path,
        `SELECT task_hash FROM call_subtree_task WHERE call_hash = '${calls.main.callHash}' ORDER BY 1`,
      ),
    ).toEqual([tasks.main.hash, tasks.read.hash, tasks.add.hash].sort().map((task_hash) => ({ task_hash })));
    expect(
      rowsOf(
        path,
        `SELECT value_hash, arg_position, arg_key, result_call_hash FROM argument LEFT JOIN argument_result USING (arg_hash)
      WHERE call_hash = '${calls.main.callHash}' ORDER BY arg_position IS NULL`,
      ),
    ).toEqual([
      {
        value_hash: values.content.hash,
        arg_position: 0,
        arg_key: null,
        result_call_hash: calls.read.callHash,
      },
      { value_hash: values.one.hash, arg_position: null, arg_key: "scale", result_call_hash: null },
    ]);
    expect(one(`SELECT * FROM execution WHERE id = '${idOf("first")}'`)).toEqual({
      id: idOf("first"),
      args: '["redun","run","first"]',
      job_id: idOf("first root"),
      updated_time: "1970-01-01 00:00:01.000000",
    });
    expect(one(`SELECT * FROM job WHERE id = '${idOf("first again")}'`)).toEqual({
      id: idOf("first again"),
      start_time: "1970-01-01 00:00:01.110000",
      end_time: "1970-01-01 00:00:01.210000",
      task_hash: tasks.add.hash,
      cached: 1,
      call_hash: calls.add.callHash,
      parent_id: idOf("first root"),
      execution_id: idOf("first"),
    });
    expect(
      one(`SELECT end_time, call_hash, parent_id, cached FROM job WHERE id = '${idOf("third root")}'`),
    ).toEqual({
      end_time: null,
      call_hash: null,
      parent_id: null,
      cached: 0,
    });
    const tag = story.batch.tags.find(({ entityType }) => entityType === "CallNode")!;
    expect(one("SELECT * FROM tag WHERE entity_type = 'CallNode'")).toEqual({
      tag_hash: tag.tagHash,
      entity_type: "CallNode",
      entity_id: calls.add.callHash,
      key: "kept",
      value: '["yes"]',
      is_current: 1,
    });
    const edit = tagOf("CallNode", calls.add.callHash, "kept", { b: 1, a: 2 }, [tag.tagHash]);
    await backend.addTags([edit]);
    expect(rowsOf(path, "SELECT * FROM tag_edit")).toEqual([
      { parent_id: tag.tagHash, child_id: edit.tagHash },
    ]);
    // JSON is stored with sorted keys, so that text can be compared.
    expect(
      rowsOf(path, "SELECT value, is_current FROM tag WHERE entity_type = 'CallNode' ORDER BY is_current"),
    ).toEqual([
      { value: '["yes"]', is_current: 0 },
      { value: '{"a":2,"b":1}', is_current: 1 },
    ]);
    await backend.close();
    expect(problems(path)).toEqual([]);
  });

  test("leave out what is only referred to", async () => {
    const { path, backend } = await open();
    const source = await open();
    source.backend.write(story.batch);
    await backend.importRecords(await source.backend.exportRecords([calls.main.callHash, idOf("first add")]));
    for (const [view, rows] of Object.entries({ value: 0, task: 0, execution: 0, job: 1 })) {
      expect([view, rowsOf(path, `SELECT * FROM ${view}`).length]).toEqual([view, rows]);
    }
    expect(rowsOf(path, "SELECT call_hash FROM call_node")).toEqual([{ call_hash: calls.main.callHash }]);
    await backend.close();
    await source.backend.close();
    expect(problems(path)).toEqual([]);
  });
});

describe("questions to SQLite", () => {
  /** A store that counts its statements. */
  const counting = (path: string): { backend: SqlBackend; statements: () => number } => {
    let count = 0;
    const backend = new SqlBackend(path, async () => {
      const db = await openSqlite(path);
      return {
        ...{
          exec: (sql) => db.exec(sql),
          close: () => db.close(),
          transaction: (work) => db.transaction(work),
        },
        prepare(sql) {
          const statement = db.prepare(sql);
          const counted =
            <P extends readonly never[], R>(run: (...params: P) => R) =>
            (...params: P): R => {
              count++;
              return run(...params);
            };
          return {
            all: counted((...params) => statement.all(...params)),
            get: counted((...params) => statement.get(...params)),
            run: counted((...params) => statement.run(...params)),
          };
        },
      } satisfies SqlDriver;
    });
    return { backend, statements: () => count };
  };

  test("don't grow in number with the records that are read", async () => {
    const work = taskOf("test.work");
    const numbers: number[][] = [];
    for (const size of [3, 300]) {
      const { backend, statements } = counting(tempStore());
      await backend.load();
      const list = Array.from({ length: size }, (_, i) =>
        callOf({
          task: work,
          args: [valueRecord(i)],
          value: valueRecord([i], { subvalues: [fileOf(`file ${i}`)] }),
        }),
      );
      const root = callOf({ task: work, value: valueRecord("root"), children: list });
      const job = { executionId: idOf("x"), taskHash: work.hash, startTime: 1, endTime: 2, cached: false };
      backend.write(
        batchOf({
          tasks: [work],
          executions: [{ id: idOf("x"), args: [], jobId: idOf("root"), startTime: 1 }],
          callNodes: [...list, root],
          jobs: [
            { ...job, id: idOf("root"), parentId: null, callHash: root.callHash },
            ...list.map(({ callHash }, i) => ({
              ...job,
              id: idOf(`job ${i}`),
              parentId: idOf("root"),
              callHash,
            })),
          ],
          tags: list.map(({ callHash }, i) => tagOf("CallNode", callHash, "n", i)),
        }),
      );
      const used: number[] = [];
      let before = statements();
      const note = (): void => {
        used.push(statements() - before);
        before = statements();
      };
      const ids: string[] = [];
      for await (const layer of backend.reachable()) ids.push(...layer);
      note();
      expect((await backend.exportRecords(ids)).length).toBe(ids.length);
      note();
      await backend.missing([...ids, hashOf("unknown")]);
      note();
      backend.lookup(
        list.map(({ evalHash, taskHash, argsHash }) => ({
          evalHash: evalHash!,
          taskHash,
          argsHash,
          allowed: ["single", "ultimate"],
          contextHash: undefined,
        })),
        () => true,
      );
      note();
      await backend.close();
      numbers.push(used);
    }
    expect(numbers[1]).toEqual(numbers[0]);
  });
});
