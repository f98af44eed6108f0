import { ERROR_VALUE_TYPE } from "../backend/records.ts";
import { anyText, hashText, hashTextOrNull, timeText, uuidText } from "./sql-keys.ts";

/**
 * The physical tables. Rows refer to each other by integer, so that a small job costs some 450 bytes and most inserts
 * append: each hash is stored once, with one index.
 *
 * A row that was referred to before it came, as happens in an import, is there without its content: a value without
 * type, a task without source, a call without evaluation, a job without task, an execution without args.
 *
 * Rows are never deleted, so what a reference names stays.
 */
const tables = `
CREATE TABLE r_name(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
INSERT INTO r_name(id, name) VALUES (1, '${ERROR_VALUE_TYPE}');
CREATE TABLE r_value(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, type INTEGER REFERENCES r_name, format INTEGER REFERENCES r_name,
  text TEXT);
CREATE INDEX r_value_error ON r_value(id) WHERE type = 1;
CREATE TABLE r_subvalue(parent INTEGER NOT NULL REFERENCES r_value, value INTEGER NOT NULL REFERENCES r_value,
  PRIMARY KEY(parent, value)) WITHOUT ROWID;
CREATE INDEX r_subvalue_value ON r_subvalue(value);
CREATE TABLE r_file(value INTEGER PRIMARY KEY REFERENCES r_value, path TEXT NOT NULL);
CREATE INDEX r_file_path ON r_file(path);
CREATE TABLE r_task(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, name TEXT NOT NULL, namespace TEXT NOT NULL, source TEXT,
  version TEXT, doc TEXT, parameters TEXT);
CREATE INDEX r_task_name ON r_task(name);
CREATE TABLE r_task_set(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE);
CREATE TABLE r_task_set_member(task_set INTEGER NOT NULL REFERENCES r_task_set, task INTEGER NOT NULL REFERENCES r_task,
  PRIMARY KEY(task_set, task)) WITHOUT ROWID;
CREATE TABLE r_evaluation(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, task INTEGER NOT NULL REFERENCES r_task,
  args_hash BLOB NOT NULL, value INTEGER REFERENCES r_value);
CREATE TABLE r_call(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, evaluation INTEGER REFERENCES r_evaluation,
  value INTEGER REFERENCES r_value, time REAL, task_set INTEGER REFERENCES r_task_set, context BLOB);
CREATE INDEX r_call_evaluation ON r_call(evaluation);
CREATE INDEX r_call_value ON r_call(value);
CREATE TABLE r_edge(parent INTEGER NOT NULL REFERENCES r_call, position INTEGER NOT NULL, child INTEGER NOT NULL REFERENCES r_call,
  PRIMARY KEY(parent, position)) WITHOUT ROWID;
CREATE INDEX r_edge_child ON r_edge(child);
CREATE TABLE r_argument(call INTEGER NOT NULL REFERENCES r_call, slot INTEGER NOT NULL, value INTEGER NOT NULL REFERENCES r_value,
  key TEXT, PRIMARY KEY(call, slot)) WITHOUT ROWID;
CREATE INDEX r_argument_value ON r_argument(value);
CREATE TABLE r_upstream(call INTEGER NOT NULL REFERENCES r_call, slot INTEGER NOT NULL, result INTEGER NOT NULL REFERENCES r_call,
  PRIMARY KEY(call, slot, result)) WITHOUT ROWID;
CREATE TABLE r_execution(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, args TEXT, job INTEGER REFERENCES r_job, updated REAL);
CREATE TABLE r_job(id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, execution INTEGER REFERENCES r_execution,
  parent INTEGER REFERENCES r_job, task INTEGER REFERENCES r_task, start_time REAL, end_time REAL, cached INTEGER,
  call INTEGER REFERENCES r_call);
CREATE INDEX r_job_parent ON r_job(execution, parent);
CREATE INDEX r_job_call ON r_job(call);
CREATE TABLE r_tag(id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, entity_type TEXT NOT NULL, entity BLOB NOT NULL,
  key TEXT NOT NULL, value TEXT NOT NULL, is_current INTEGER NOT NULL);
CREATE INDEX r_tag_entity ON r_tag(entity);
CREATE INDEX r_tag_key ON r_tag(key);
CREATE TABLE r_tag_edit(parent BLOB NOT NULL, child BLOB NOT NULL, PRIMARY KEY(parent, child)) WITHOUT ROWID;
CREATE INDEX r_tag_edit_child ON r_tag_edit(child);
`;

/** An argument's id in the views joins them; the hash of an argument needs SHA-512 and is in exported records. */
const argHash = (call: string, slot: string): string => `${hashText(call)} || '/' || ${slot}`;

/** The logical schema, with its names, its columns and text for ids, for people and other programs to query. */
const views = `
CREATE VIEW value AS SELECT ${hashText("v.hash")} AS value_hash, t.name AS type, f.name AS format, v.text AS value
  FROM r_value v JOIN r_name t ON t.id = v.type JOIN r_name f ON f.id = v.format;
CREATE VIEW subvalue AS SELECT ${hashText("v.hash")} AS value_hash, ${hashText("p.hash")} AS parent_value_hash
  FROM r_subvalue s JOIN r_value v ON v.id = s.value JOIN r_value p ON p.id = s.parent;
CREATE VIEW file AS SELECT ${hashText("v.hash")} AS value_hash, f.path AS path FROM r_file f JOIN r_value v ON v.id = f.value;
CREATE VIEW task AS SELECT ${hashText("hash")} AS hash, name, namespace, source FROM r_task WHERE source IS NOT NULL;
CREATE VIEW evaluation AS SELECT ${hashText("e.hash")} AS eval_hash, ${hashText("t.hash")} AS task_hash,
    ${hashText("e.args_hash")} AS args_hash, ${hashText("v.hash")} AS value_hash
  FROM r_evaluation e JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = e.value;
CREATE VIEW call_node AS SELECT ${hashText("c.hash")} AS call_hash,
    iif(t.namespace = '', t.name, t.namespace || '.' || t.name) AS task_name, ${hashText("t.hash")} AS task_hash,
    ${hashText("e.args_hash")} AS args_hash, ${hashText("v.hash")} AS value_hash, ${timeText("c.time")} AS timestamp
  FROM r_call c JOIN r_evaluation e ON e.id = c.evaluation JOIN r_task t ON t.id = e.task JOIN r_value v ON v.id = c.value;
CREATE VIEW call_edge AS SELECT ${hashText("p.hash")} AS parent_id, ${hashText("c.hash")} AS child_id, x.position AS call_order
  FROM r_edge x JOIN r_call p ON p.id = x.parent JOIN r_call c ON c.id = x.child;
CREATE VIEW call_subtree_task AS SELECT ${hashText("c.hash")} AS call_hash, ${hashText("t.hash")} AS task_hash
  FROM r_call c JOIN r_task_set_member m ON m.task_set = c.task_set JOIN r_task t ON t.id = m.task;
CREATE VIEW argument AS SELECT ${argHash("c.hash", "a.slot")} AS arg_hash, ${hashText("c.hash")} AS call_hash,
    ${hashText("v.hash")} AS value_hash, iif(a.key IS NULL, a.slot, NULL) AS arg_position, a.key AS arg_key
  FROM r_argument a JOIN r_call c ON c.id = a.call JOIN r_value v ON v.id = a.value;
CREATE VIEW argument_result AS SELECT ${argHash("c.hash", "u.slot")} AS arg_hash, ${hashText("r.hash")} AS result_call_hash
  FROM r_upstream u JOIN r_call c ON c.id = u.call JOIN r_call r ON r.id = u.result;
CREATE VIEW execution AS SELECT ${uuidText("x.uuid")} AS id, x.args AS args, ${uuidText("j.uuid")} AS job_id,
    ${timeText("x.updated")} AS updated_time
  FROM r_execution x LEFT JOIN r_job j ON j.id = x.job WHERE x.args IS NOT NULL;
CREATE VIEW job AS SELECT ${uuidText("j.uuid")} AS id, ${timeText("j.start_time")} AS start_time, ${timeText("j.end_time")} AS end_time,
    ${hashText("t.hash")} AS task_hash, j.cached AS cached, ${hashTextOrNull("c.hash")} AS call_hash, ${uuidText("p.uuid")} AS parent_id,
    ${uuidText("x.uuid")} AS execution_id
  FROM r_job j JOIN r_task t ON t.id = j.task LEFT JOIN r_execution x ON x.id = j.execution
  LEFT JOIN r_call c ON c.id = j.call LEFT JOIN r_job p ON p.id = j.parent;
CREATE VIEW tag AS SELECT ${hashText("hash")} AS tag_hash, entity_type, ${anyText("entity")} AS entity_id, key, value, is_current FROM r_tag;
CREATE VIEW tag_edit AS SELECT ${hashText("parent")} AS parent_id, ${hashText("child")} AS child_id FROM r_tag_edit;
`;

/** Everything that version 1.0 consists of. */
export const VERSION_1: string = tables + views;
