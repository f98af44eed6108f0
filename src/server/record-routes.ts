import { z } from "@hono/zod-openapi";
import type { Backend, EntityType, RecordQuery } from "../backend/backend.ts";
import { type DataflowNode, traceDataflow } from "../backend/dataflow.ts";
import { ApiError } from "./api-error.ts";
import type { ValueView } from "./api-types.ts";
import { jobSchema, valueSchema } from "./execution-routes.ts";
import {
  checked,
  findPages,
  hashSchema,
  idSchema,
  jsonSchema,
  notFound,
  pageOf,
  pageQuery,
  pageSchema,
  type RepoApp,
  repoRoute,
} from "./route-parts.ts";
import { jobSummary, valueView } from "./views.ts";

const callNodeSchema = z
  .looseObject({
    callHash: z.string(),
    taskName: z.string(),
    taskHash: z.string(),
    argsHash: z.string(),
    valueHash: z.string(),
    timestamp: z.number(),
    args: z.array(jsonSchema),
    children: z.array(z.string()),
  })
  .openapi("CallNode");
const taskSchema = z
  .looseObject({ hash: z.string(), name: z.string(), namespace: z.string(), source: z.string() })
  .openapi("Task");
const text = z.string().max(10_000);

/** What a list of records may be narrowed by. */
interface ListQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly execution?: string;
  readonly status?: "RUNNING" | "DONE" | "CACHED" | "FAILED";
  readonly task?: string;
  readonly type?: string;
  readonly path?: string;
  readonly prefix?: string;
}

/** A kind of record: where it is, how it is read, and what narrows its list. */
interface Kind<T> {
  readonly path: string;
  readonly name: string;
  readonly type: EntityType;
  readonly schema: z.ZodType;
  readonly filters: Readonly<Record<string, z.ZodType>>;
  readonly read: (backend: Backend, ids: readonly string[]) => Promise<readonly (T | undefined)[]>;
}

/** Values may be large, so one is in memory at a time. */
async function readValues(backend: Backend, ids: readonly string[]): Promise<(ValueView | undefined)[]> {
  const views: (ValueView | undefined)[] = [];
  for (const id of ids) {
    const [row] = await backend.getValues([id]);
    views.push(row && valueView(row, ids.length === 1 ? undefined : LONGEST_IN_LIST));
  }
  return views;
}

/** Characters of a value that a list has in it. */
const LONGEST_IN_LIST = 10_000;

const kinds: readonly Kind<unknown>[] = [
  {
    path: "jobs",
    name: "job",
    type: "Job",
    schema: jobSchema,
    filters: {
      execution: z.string().max(100).optional(),
      status: z.enum(["RUNNING", "DONE", "CACHED", "FAILED"]).optional(),
      task: text.optional(),
    },
    read: async (backend, ids) => (await backend.getJobs(ids)).map((row) => row && jobSummary(row)),
  },
  {
    path: "call-nodes",
    name: "call node",
    type: "CallNode",
    schema: callNodeSchema,
    filters: { task: text.optional() },
    read: (backend, ids) => backend.getCallNodes(ids),
  },
  {
    path: "tasks",
    name: "task",
    type: "Task",
    schema: taskSchema,
    filters: { task: text.optional() },
    read: (backend, ids) => backend.getTasks(ids),
  },
  {
    path: "values",
    name: "value",
    type: "Value",
    schema: valueSchema,
    filters: { type: text.optional() },
    read: readValues,
  },
  {
    path: "files",
    name: "file",
    type: "Value",
    schema: valueSchema,
    filters: { path: text.optional().openapi({ description: "Path, * matching any text" }) },
    read: readValues,
  },
];

/** Routes that read provenance. */
export function addRecordRoutes(app: RepoApp): void {
  for (const kind of kinds) addKind(app, kind);
  app.openapi(
    repoRoute("get", "/values/{id}/content", {
      summary: "The canonical encoding of a value, however long",
      params: { id: hashSchema },
      answer: z.string(),
      answerType: "text/plain",
    }),
    async (c) => {
      const { id } = checked<{ id: string }>(c).params;
      const [value] = await c.var.host.backend.getValues([id]);
      // Never shown by a browser as what it may claim to be.
      c.header("Content-Disposition", "attachment");
      return c.text((value ?? notFound("value", id)).text, 200);
    },
  );
  app.openapi(
    repoRoute("get", "/tags", {
      summary:
        "Keys and values of current tags, with how many records have them, or the tags of some records",
      query: {
        entity: z.string().max(50_000).optional().openapi({ description: "Ids, separated by commas" }),
      },
      answer: z.object({ items: z.array(jsonSchema) }),
    }),
    async (c) => {
      const { entity } = checked<never, { entity?: string }>(c).query;
      const { backend } = c.var.host;
      const items =
        entity === undefined ? await backend.tagCounts() : await backend.getTags(entity.split(","));
      return c.json({ items: items as never }, 200);
    },
  );
  app.openapi(
    repoRoute("get", "/dataflow/{valueHash}", {
      summary:
        "What a value came from: nodes with the keys of their sources, which are null where they were not followed",
      params: { valueHash: hashSchema },
      query: {
        limit: z.coerce.number().int().min(1).max(2000).default(2000) as unknown as z.ZodType<number>,
      },
      answer: z.object({
        root: z.string(),
        nodes: z.array(jsonSchema),
        complete: z
          .boolean()
          .openapi({ description: "Whether all was followed; ask for a node's value to go on" }),
      }),
    }),
    async (c) => {
      const { params, query } = checked<{ valueHash: string }, { limit: number }>(c);
      const { valueHash } = params;
      const { backend } = c.var.host;
      const [value] = await backend.getValues([valueHash]);
      if (value === undefined) notFound("value", valueHash);
      const options = { limit: query.limit, maxReads: MOST_READS };
      const flow = await traceDataflow(backend, { kind: "Value", value }, options);
      const { root, sources, isComplete } = flow;
      const nodes = new Map<string, DataflowNode>([[root.key, root]]);
      for (const list of sources.values()) for (const node of list) nodes.set(node.key, node);
      const views = [...nodes.values()].map((node) => nodeView(node, sources.get(node.key)));
      return c.json({ root: root.key, nodes: views, complete: isComplete }, 200);
    },
  );
}

/** Records that are read to tell what a value came from. */
const MOST_READS = 20_000;

function nodeView(node: DataflowNode, sources: readonly DataflowNode[] | undefined): Record<string, unknown> {
  const call = "call" in node ? { callHash: node.call.callHash, task: node.call.taskName } : {};
  const value = "valueHash" in node ? { valueHash: node.valueHash } : {};
  return {
    key: node.key,
    kind: node.kind,
    ...call,
    ...value,
    sources: sources?.map(({ key }) => key) ?? null,
  };
}

function addKind(app: RepoApp, kind: Kind<unknown>): void {
  const { path, name, type, schema, filters, read } = kind;
  const readAll = async (backend: Backend, ids: readonly string[]): Promise<unknown[]> =>
    (await read(backend, ids)).filter((row) => row != null);
  app.openapi(
    repoRoute("get", `/${path}`, {
      summary: `List ${name}s`,
      query: { ...pageQuery, prefix: idSchema.optional(), ...filters },
      answer: pageSchema(schema),
    }),
    async (c) => {
      const { query } = checked<never, ListQuery>(c);
      const { backend } = c.var.host;
      const find = findPages(backend, recordQuery(type, path, query));
      const page = await pageOf(query, find, (ids) => readAll(backend, ids));
      return c.json(page as never, 200);
    },
  );
  app.openapi(
    repoRoute("get", `/${path}/{id}`, {
      summary: `Read a ${name} by its id, or by the beginning of it`,
      params: { id: idSchema },
      answer: schema,
    }),
    async (c) => {
      const { id } = checked<{ id: string }>(c).params;
      const { backend } = c.var.host;
      const [exact] = await readAll(backend, [id]);
      if (exact !== undefined) return c.json(exact as never, 200);
      const found = await backend.find({ type, idPrefix: id, limit: 2 });
      if (found.length > 1) {
        throw new ApiError(409, "ambiguous-id", `Several ${name}s have ids that begin with ${id}`, {
          hint: "Give more of the id.",
        });
      }
      const [only] = await readAll(
        backend,
        found.map((one) => one.id),
      );
      return c.json((only ?? notFound(name, id)) as never, 200);
    },
  );
}

function recordQuery(type: EntityType, path: string, query: ListQuery): RecordQuery {
  const { execution, status, task, type: valueType, path: filePath, prefix } = query;
  return {
    type,
    ...(prefix === undefined ? {} : { idPrefix: prefix }),
    ...(execution === undefined ? {} : { executionIds: [execution] }),
    ...(status === undefined ? {} : { jobStatus: [status] }),
    ...(task === undefined ? {} : { taskNames: [task] }),
    ...(valueType === undefined ? {} : { valueTypes: [valueType] }),
    ...(path === "files" ? { filePaths: [filePath ?? "*"] } : {}),
  };
}
