import { z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { streamSSE } from "hono/streaming";
import type { RecordQuery } from "../backend/backend.ts";
import type { ExecutionStatus } from "../backend/records.ts";
import type { Json } from "../value/json.ts";
import { decodeValue, encodeValue } from "../value/value.ts";
import { ApiError } from "./api-error.ts";
import type {
  ExecutionDetail,
  ExecutionRequest,
  ExecutionSummary,
  JobSummary,
  Page,
  ValueView,
} from "./api-types.ts";
import type { HostedRun } from "./execution-types.ts";
import type { RepoHost } from "./repo-host.ts";
import {
  checked,
  type FindPage,
  findPages,
  hashSchema,
  jsonSchema,
  notFound,
  pageOf,
  pageQuery,
  pageSchema,
  type RepoApp,
  type RepoEnv,
  repoRoute,
  uuidSchema,
} from "./route-parts.ts";
import { executionDetail, executionSummaries } from "./views.ts";

/** Answers a request for events by a WebSocket, as the runtime does that. */
export type UpgradeEvents = (
  c: Context<RepoEnv>,
  host: RepoHost,
  run: string,
  after: number,
) => Response | Promise<Response>;

const statusSchema = z.enum(["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED", "DRYRUN", "INTERRUPTED"]);
const tagSchema = z.object({ key: z.string(), value: jsonSchema });
const time = z.number().nullable().openapi({ description: "Milliseconds since the epoch" });

const summaryShape = {
  id: z.string(),
  status: statusSchema,
  task: z.string().nullable(),
  args: z.array(z.string()),
  user: z.string().nullable(),
  package: z.string().nullable(),
  startTime: time,
  endTime: time,
  resumedAs: z.string().nullable(),
  tags: z.array(tagSchema),
};
const summarySchema: z.ZodType<ExecutionSummary> = z.object(summaryShape).openapi("Execution");

export const jobSchema: z.ZodType<JobSummary> = z
  .object({
    id: z.string(),
    executionId: z.string(),
    parentId: z.string().nullable(),
    task: z.string(),
    taskHash: z.string(),
    status: z.string(),
    startTime: z.number(),
    endTime: time,
    cached: z.boolean(),
    callHash: z.string().nullable(),
  })
  .openapi("Job");

export const valueSchema: z.ZodType<ValueView> = z
  .object({
    hash: z.string(),
    type: z.string(),
    format: z.string(),
    size: z.number(),
    value: jsonSchema,
    preview: z.string(),
    file: z.string().nullable(),
    subvalues: z.array(z.string()),
  })
  .openapi("Value");

const detailSchema: z.ZodType<ExecutionDetail> = z
  .object({
    ...summaryShape,
    rootJobId: z.string().nullable(),
    jobs: z.array(jobSchema),
    jobCount: z.number(),
    result: valueSchema.nullable(),
    error: z.object({ name: z.string(), message: z.string(), traceback: jsonSchema }).nullable(),
  })
  .openapi("ExecutionDetail");

const text = z.string().max(10_000);
const tagsSchema = z.union([
  z.array(z.tuple([text, jsonSchema])).max(1000),
  z.record(text, jsonSchema),
]) as unknown as z.ZodType<ExecutionRequest["tags"]>;

const requestSchema: z.ZodType<ExecutionRequest> = z
  .strictObject({
    package: hashSchema,
    task: z.string().max(500),
    args: z.union([z.array(jsonSchema), z.record(z.string(), jsonSchema)]).optional(),
    options: z
      .strictObject({
        cache: z.boolean().optional(),
        dryRun: z.boolean().optional(),
        prov: z.boolean().optional(),
        task: z.record(z.string(), jsonSchema).optional(),
      })
      .optional(),
    tags: tagsSchema.optional(),
    context: z.record(z.string(), jsonSchema).optional(),
    id: uuidSchema.optional(),
    commandLine: z.array(text).max(1000).optional(),
  })
  .openapi("ExecutionRequest") as unknown as z.ZodType<ExecutionRequest>;

interface IdParams {
  readonly id: string;
}

const idParams = { params: { id: uuidSchema } };

/** Routes that start executions, list them, and tell how they go. */
export function addExecutionRoutes(app: RepoApp, upgrade: UpgradeEvents | undefined): void {
  app.openapi(
    repoRoute("post", "/executions", {
      summary: "Start an execution",
      headers: { "idempotency-key": z.string().max(200).optional() },
      body: requestSchema,
      status: 202,
      answer: z.object({ id: z.string() }),
    }),
    async (c) => {
      const { body } = checked<never, never, ExecutionRequest>(c);
      const { host, principal } = c.var;
      const key = c.req.header("idempotency-key");
      const order = orderOf(host, body);
      const id = await host.start({
        ...order,
        tags: withUser(order.tags, principal.name),
        user: principal.name,
        // One client's keys are not another's.
        key: key === undefined ? undefined : `${principal.tokenId} ${key}`,
      });
      return c.json({ id }, 202);
    },
  );
  app.openapi(
    repoRoute("get", "/executions", {
      summary: "List executions, newest first",
      query: {
        ...pageQuery,
        status: statusSchema.optional(),
        task: text.optional(),
        tag: text.optional().openapi({ description: "KEY, or KEY=VALUE with a JSON value or text" }),
      },
      answer: pageSchema(summarySchema),
    }),
    async (c) => c.json(await listExecutions(c.var.host, checked<never, ListQuery>(c).query), 200),
  );
  app.openapi(
    repoRoute("get", "/executions/{id}", {
      summary: "Read an execution with its job tree",
      ...idParams,
      answer: detailSchema,
    }),
    async (c) => {
      const { id } = checked<IdParams>(c).params;
      return c.json((await executionDetail(c.var.host, id)) ?? notFound("execution", id), 200);
    },
  );
  app.openapi(
    repoRoute("post", "/executions/{id}/cancel", {
      summary: "Cancel an execution",
      ...idParams,
      answer: z.object({ cancelled: z.boolean() }),
    }),
    async (c) => {
      const { id } = checked<IdParams>(c).params;
      const { host } = c.var;
      const cancelled = host.cancel(id);
      if (!cancelled && (await executionSummaries(host, [id])).length === 0) notFound("execution", id);
      return c.json({ cancelled }, 200);
    },
  );
  app.openapi(
    repoRoute("get", "/executions/{id}/events", {
      summary: "Live events as a WebSocket, or as server-sent events for Accept: text/event-stream",
      ...idParams,
      query: {
        after: z
          .string()
          .regex(/^\d{1,12}$/)
          .optional()
          .openapi({
            description:
              "Number of the last event that was seen; events after it are sent. Last-Event-ID does the same.",
          }),
      },
      answer: z.string(),
      answerType: "text/event-stream",
    }),
    async (c) => {
      const { id } = checked<IdParams>(c).params;
      const { host } = c.var;
      if (host.state.run(id) === undefined) notFound("execution that was run here", id);
      const after = Number(c.req.query("after") ?? c.req.header("last-event-id") ?? 0) || 0;
      if (c.req.header("upgrade")?.toLowerCase() === "websocket") {
        if (upgrade !== undefined) return upgrade(c, host, id, after);
      } else if (c.req.header("accept")?.includes("text/event-stream")) return sendEvents(c, host, id, after);
      throw new ApiError(400, "invalid-request", "Cannot send events in this form", {
        hint: "Ask for a WebSocket, or for Accept: text/event-stream.",
      });
    },
  );
}

/** Milliseconds between signs of life on a stream on which nothing else happens. */
const ALIVE = 15_000;

function sendEvents(c: Context<RepoEnv>, host: RepoHost, run: string, after: number): Response {
  c.header("Cache-Control", "no-store");
  // Keeps proxies from gathering what is sent.
  c.header("X-Accel-Buffering", "no");
  const ended = new AbortController();
  const leave = c.var.listeners.add(c.var.principal, () => ended.abort());
  return streamSSE(c, async (stream) => {
    stream.onAbort(() => ended.abort());
    const beat = setInterval(() => void stream.write(": alive\n\n"), ALIVE);
    try {
      for await (const events of host.follow(run, after, ended.signal)) {
        await stream.write(
          events
            .map((event) => `id: ${event.seq}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
            .join(""),
        );
      }
    } finally {
      clearInterval(beat);
      leave();
    }
  });
}

type Order = Pick<HostedRun, "package" | "task" | "args" | "options" | "tags" | "context"> & {
  readonly id?: string | undefined;
  readonly commandLine?: readonly string[] | undefined;
};

function orderOf(host: RepoHost, request: ExecutionRequest): Order {
  const { args = [], tags = [], context, options = {}, id, commandLine } = request;
  const positional = Array.isArray(args)
    ? args
    : byPosition(host, request, args as { readonly [name: string]: Json });
  return {
    package: request.package,
    task: request.task,
    args: canonical(positional),
    options,
    tags: Array.isArray(tags) ? tags : Object.entries(tags),
    context: context === undefined ? undefined : canonical(context),
    id,
    commandLine,
  };
}

/** Tags with whose execution it is, unless they say so: the command does, the app can't. */
function withUser(tags: Order["tags"], user: string): Order["tags"] {
  return tags.some(([key]) => key === "user") ? tags : [...tags, ["user", user]];
}

/** The one encoding of a value that JSON of an encoding stands for. @throws InvalidEncodingError if it is none */
const canonical = (json: unknown): string => encodeValue(decodeValue(JSON.stringify(json))).text;

/** Arguments that are given by the names of parameters. Those left out have their defaults. */
function byPosition(
  host: RepoHost,
  request: ExecutionRequest,
  args: { readonly [name: string]: Json },
): Json[] {
  const described = host.state
    .package(request.package)
    ?.manifest.tasks.find(({ fullname }) => fullname === request.task);
  const names = described?.parameters.map(({ name }) => name) ?? [];
  const unknown = Object.keys(args).find((name) => !names.includes(name));
  if (unknown !== undefined) {
    throw new ApiError(
      400,
      "unknown-argument",
      `Cannot start ${request.task}: it has no parameter ${unknown}`,
      {
        hint:
          names.length === 0 ? "It has none whose names are known." : `Its parameters: ${names.join(", ")}.`,
      },
    );
  }
  const last = names.findLastIndex((name) => Object.hasOwn(args, name));
  return names
    .slice(0, last + 1)
    .map((name) => (Object.hasOwn(args, name) ? args[name]! : { $: ["undefined"] }));
}

interface ListQuery {
  readonly limit: number;
  readonly cursor?: string;
  readonly status?: ExecutionSummary["status"];
  readonly task?: string;
  readonly tag?: string;
}

/** Statuses that the store knows of itself; the others are tags, or the host's. */
const STORED: readonly string[] = ["RUNNING", "DONE", "FAILED"];

async function listExecutions(
  host: RepoHost,
  { status, task, tag, ...page }: ListQuery,
): Promise<Page<ExecutionSummary>> {
  const waiting = host.state.queued(task);
  if (status === "QUEUED") return { items: await executionSummaries(host, waiting), cursor: null };
  const tags = [...(tag === undefined ? [] : [parseTag(tag)]), ...statusTags(status)];
  const stored = status !== undefined && STORED.includes(status) ? [status as ExecutionStatus] : undefined;
  const query: RecordQuery = {
    type: "Execution",
    ...(stored === undefined ? {} : { executionStatus: stored }),
    ...(tags.length === 0 ? {} : { tags }),
  };
  const find = findPages(host.backend, query);
  const view = (ids: readonly string[]): Promise<ExecutionSummary[]> => executionSummaries(host, ids);
  if (task !== undefined) return executionsOfTask(task, page, find, view);
  const result = await pageOf(page, find, view);
  if (page.cursor !== undefined || status !== undefined || tag !== undefined) return result;
  return { ...result, items: [...(await executionSummaries(host, waiting)), ...result.items] };
}

/** So many executions are looked at for one page of those of a task. */
const MOST_SEEN = 5_000;

/** Executions whose root task has a name. The cursor is the last one that was looked at. */
async function executionsOfTask(
  task: string,
  { limit, cursor }: Pick<ListQuery, "limit" | "cursor">,
  find: FindPage,
  view: (ids: readonly string[]) => Promise<ExecutionSummary[]>,
): Promise<Page<ExecutionSummary>> {
  const items: ExecutionSummary[] = [];
  let last = cursor;
  for (let seen = 0; seen < MOST_SEEN; ) {
    const found = await find(500, last);
    for (const summary of await view(found)) {
      last = summary.id;
      if (summary.task === task) items.push(summary);
      if (items.length === limit) return { items, cursor: last };
    }
    if (found.length < 500) return { items, cursor: null };
    seen += found.length;
    last = found.at(-1);
  }
  return { items, cursor: last ?? null };
}

function statusTags(status: ListQuery["status"]): { key: string; value: Json }[] {
  if (status === "CANCELLED") return [{ key: "redun.status", value: "cancelled" }];
  return status === "INTERRUPTED" ? [{ key: "redun.status", value: "interrupted" }] : [];
}

function parseTag(text: string): { key: string; value?: Json } {
  const at = text.indexOf("=");
  if (at < 0) return { key: text };
  const value = text.slice(at + 1);
  try {
    return { key: text.slice(0, at), value: JSON.parse(value) as Json };
  } catch {
    return { key: text.slice(0, at), value };
  }
}
