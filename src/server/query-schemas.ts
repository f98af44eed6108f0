import { z } from "@hono/zod-openapi";
import type { EntityType } from "../backend/backend.ts";
import type { StoreQuery } from "./client.ts";
import { jsonSchema } from "./route-parts.ts";

/** Name of a method of a store that only reads. */
export type QueryMethod = StoreQuery;

const text = z.string().max(10_000);
const texts = z.array(text).max(10_000);
const hash = z.string().max(100);
const entityType: z.ZodType<EntityType> = z.enum(["Execution", "Job", "CallNode", "Task", "Value"]);
const tags = z.array(z.strictObject({ key: text, value: jsonSchema.optional() })).max(100);
const count = z.number().int().min(0);

/** What a store may be asked for, as `RecordQuery` says. */
const recordQuery = z.strictObject({
  type: entityType,
  ids: texts.optional(),
  idPrefix: hash.optional(),
  executionIds: texts.optional(),
  executionStatus: z.array(z.enum(["RUNNING", "DONE", "FAILED"])).optional(),
  jobStatus: z.array(z.enum(["RUNNING", "DONE", "CACHED", "FAILED"])).optional(),
  taskNames: texts.optional(),
  taskHashes: texts.optional(),
  argValues: texts.optional(),
  resultValues: texts.optional(),
  valueTypes: texts.optional(),
  filePaths: texts.optional(),
  tags: tags.optional(),
  executionTags: tags.optional(),
  parentIds: texts.optional(),
  callHashes: texts.optional(),
  limit: count.optional(),
  offset: count.optional(),
  after: hash.optional(),
});

const idList = z.array(hash).max(10_000);
const ids = z.tuple([idList]);

/** The methods of a store that a caller may ask by name, with their arguments; all of them only read. */
const queries: Readonly<Record<QueryMethod, z.ZodType<readonly unknown[]>>> = {
  find: z.tuple([recordQuery]),
  count: z.tuple([recordQuery]),
  getValues: ids,
  getExecutions: ids,
  getJobs: ids,
  getCallNodes: ids,
  getTasks: ids,
  getTags: ids,
  exportRecords: z.tuple([idList, z.strictObject({ maxSize: z.number().positive().optional() }).optional()]),
  tagCounts: z.tuple([]),
  callsOfValue: z.tuple([hash, z.enum(["result", "argument"])]),
  parentCalls: z.tuple([hash]),
  nearestCall: z.tuple([z.strictObject({ taskName: text, taskHash: hash, argsHash: hash })]),
};

export const queryMethods: readonly [QueryMethod, ...QueryMethod[]] = Object.keys(queries) as never;

/** The schema of a method's arguments. */
export function querySchema(method: QueryMethod): z.ZodType<readonly unknown[]> {
  return queries[method];
}
