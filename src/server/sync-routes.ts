import { z } from "@hono/zod-openapi";
import type { Backend, RecordJson, ValueRow } from "../backend/backend.ts";
import { recordBatches } from "../backends/sync.ts";
import { ApiError } from "./api-error.ts";
import { type QueryMethod, queryMethods, querySchema } from "./query-schemas.ts";
import { checked, invalidRequest, jsonSchema, type RepoApp, repoRoute } from "./route-parts.ts";

/** Ids in one question at most. */
const MOST_IDS = 10_000;

const idsSchema = z.array(z.string().max(100)).max(MOST_IDS);

const tagSchema = z.strictObject({
  tagHash: z.string().regex(/^[0-9a-f]{40}$/),
  entityType: z.enum(["Execution", "Job", "CallNode", "Task", "Value", "Null"]),
  entityId: z.string().max(100),
  // What supersedes tags without taking their place has none.
  key: z.string().max(1000),
  value: jsonSchema,
  parents: z.array(z.string().regex(/^[0-9a-f]{40}$/)).max(1000),
});

/** Routes that move records between stores, and those by which a store is read and tagged from afar. */
export function addSyncRoutes(app: RepoApp): void {
  app.openapi(
    repoRoute("post", "/sync/missing", {
      summary: "Which of these records are missing here",
      body: z.strictObject({ ids: idsSchema }),
      answer: z.object({ missing: z.array(z.string()) }),
    }),
    async (c) => {
      const { ids } = checked<never, never, { ids: string[] }>(c).body;
      return c.json({ missing: await c.var.host.backend.missing(ids) }, 200);
    },
  );
  app.openapi(
    repoRoute("post", "/sync/records", {
      summary: "Take records as JSON lines, each checked against its hash",
      answer: z.object({ received: z.number(), added: z.number() }),
    }),
    async (c) => {
      const records = readLines(await c.req.text());
      return c.json(
        { received: records.length, added: await c.var.host.backend.importRecords(records) },
        200,
      );
    },
  );
  app.openapi(
    repoRoute("get", "/sync/records", {
      summary: "Records as JSON lines: those of some ids and all that they refer to, or everything",
      query: {
        ids: z.string().max(50_000).optional().openapi({ description: "Ids, separated by commas" }),
      },
      answer: z.string(),
      answerType: "application/x-ndjson",
    }),
    (c) => {
      const { ids } = checked<never, { ids?: string }>(c).query;
      return sendLines(exportLines(c.var.host.backend, ids?.split(","))) as never;
    },
  );
  app.openapi(
    repoRoute("post", "/sync/reachable", {
      summary:
        "Ids of all that some ids refer to, or of everything: JSON lines, each a list; an empty one ends them",
      body: z.strictObject({ ids: idsSchema.optional() }),
      answer: z.string(),
      answerType: "application/x-ndjson",
    }),
    (c) => {
      const { ids } = checked<never, never, { ids?: string[] }>(c).body;
      return sendLines(reachableLines(c.var.host.backend, ids)) as never;
    },
  );
  app.openapi(
    repoRoute("post", "/query/{method}", {
      summary:
        "Ask the store, as the engine itself does; the arguments are those of the store's method. An answer to getValues may end early, if values are large",
      params: { method: z.enum(queryMethods) },
      body: z.strictObject({ args: z.array(jsonSchema).max(3) }),
      answer: z.object({ result: jsonSchema }),
    }),
    async (c) => {
      const { params, body } = checked<{ method: QueryMethod }, never, { args: unknown[] }>(c);
      const { backend } = c.var.host;
      const args = querySchema(params.method).safeParse(body.args);
      if (!args.success) throw invalidRequest(args.error, "args");
      if (params.method === "getValues") {
        const [hashes] = args.data as [string[]];
        return c.json({ result: (await someValues(backend, hashes)) as never }, 200);
      }
      const method = backend[params.method] as (...args: readonly unknown[]) => Promise<unknown>;
      const result = await method.apply(backend, args.data as unknown[]);
      return c.json({ result: (result ?? null) as never }, 200);
    },
  );
  app.openapi(
    repoRoute("post", "/tags", {
      summary: "Add tags; tags with parents supersede those",
      body: z.strictObject({ tags: z.array(tagSchema).min(1).max(1000), fresh: z.boolean().optional() }),
      answer: z.object({ tags: z.array(jsonSchema) }),
    }),
    async (c) => {
      type Body = { tags: Parameters<Backend["addTags"]>[0]; fresh?: boolean };
      const { tags, fresh = false } = checked<never, never, Body>(c).body;
      return c.json({ tags: (await c.var.host.backend.addTags(tags, { fresh })) as never }, 200);
    },
  );
}

const lineOf = (json: unknown): string => `${JSON.stringify(json)}\n`;

async function* exportLines(backend: Backend, ids: readonly string[] | undefined): AsyncGenerator<string> {
  for await (const layer of backend.reachable(ids)) {
    for await (const records of recordBatches(backend, layer)) yield records.map(lineOf).join("");
  }
}

/** An answer may break off as if it ended, so its end is told. */
async function* reachableLines(backend: Backend, ids: readonly string[] | undefined): AsyncGenerator<string> {
  for await (const layer of backend.reachable(ids)) yield lineOf(layer);
  yield lineOf([]);
}

/** Answers with lines as they come, as fast as they are read. Where they break off, so does the connection. */
function sendLines(lines: AsyncGenerator<string>): Response {
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await lines.next();
      if (done) controller.close();
      else controller.enqueue(encoder.encode(value));
    },
    async cancel() {
      await lines.return(undefined);
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/x-ndjson" } });
}

/** Characters of values in one answer, after which it has those that come first. */
const MOST_VALUES = 8_000_000;

/** The first of these values, at least one, as many as an answer bears. */
async function someValues(
  backend: Backend,
  hashes: readonly string[],
): Promise<readonly (ValueRow | undefined)[]> {
  const rows: (ValueRow | undefined)[] = [];
  for (let size = 0; rows.length < hashes.length && size < MOST_VALUES; ) {
    const [row] = await backend.getValues([hashes[rows.length]!]);
    rows.push(row);
    size += row?.text.length ?? 0;
  }
  return rows;
}

function readLines(text: string): RecordJson[] {
  const records: RecordJson[] = [];
  let number = 0;
  for (const line of text.split("\n")) {
    number++;
    if (line.trim() === "") continue;
    try {
      records.push(JSON.parse(line) as RecordJson);
    } catch (cause) {
      throw new ApiError(400, "invalid-request", `Cannot read the records: line ${number} is not JSON`, {
        cause,
      });
    }
  }
  return records;
}
