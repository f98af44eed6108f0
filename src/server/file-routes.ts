import { z } from "@hono/zod-openapi";
import { ApiError } from "./api-error.ts";
import type { UploadedFile } from "./api-types.ts";
import { openRecordedFile, parseRange } from "./recorded-files.ts";
import { checked, hashSchema, notFound, type RepoApp, repoRoute } from "./route-parts.ts";
import type { FolderPart, Uploads } from "./uploads.ts";

/** Requests whose bodies are files, which have a limit of their own. */
export const FILE_PATH: RegExp = /^\/api\/v1\/repos\/[^/]+\/uploads\/[0-9a-f]{40}\/[^/]+$/;

const uploadedSchema: z.ZodType<UploadedFile> = z
  .object({
    path: z.string().openapi({ description: "As tasks name it" }),
    hash: hashSchema,
    size: z.number(),
  })
  .openapi("UploadedFile");

const name = z.string().min(1).max(200);

interface FileParams {
  readonly hash: string;
  readonly name: string;
}

const fileParams = { params: { hash: hashSchema, name } };

const folderSchema = z.strictObject({
  name,
  files: z
    .array(z.strictObject({ path: z.string().min(1).max(4000), hash: hashSchema, name }))
    .min(1)
    .max(10_000),
});

/** Routes that take files for executions to read, and give back those that executions made. */
export function addFileRoutes(app: RepoApp): void {
  app.openapi(
    repoRoute("get", "/files/{id}/content", {
      summary: "A recorded file as it is, while it has not changed; a Range of bytes gives a part",
      params: { id: hashSchema },
      answer: z.string(),
      answerType: "application/octet-stream",
    }),
    async (c) => {
      const { host } = c.var;
      const { id } = checked<{ id: string }>(c).params;
      const range = parseRange(c.req.header("range"));
      const { name, size, body } = await openRecordedFile(host.backend, host.files, id, range);
      const end = Math.min(size, range?.length === undefined ? size : range.offset + range.length);
      const isPart = range !== undefined && range.offset < size;
      c.header("Content-Type", "application/octet-stream");
      // Never shown by a browser as what it may claim to be.
      c.header("Content-Disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name)}`);
      c.header("Accept-Ranges", "bytes");
      if (isPart) c.header("Content-Range", `bytes ${range.offset}-${end - 1}/${size}`);
      return c.body(body as ReadableStream, isPart ? 206 : 200) as never;
    },
  );
  app.openapi(
    repoRoute("put", "/uploads/{hash}/{name}", {
      summary: "Upload a file as it is, which is checked against the hash of its content",
      ...fileParams,
      status: 201,
      answer: uploadedSchema,
    }),
    async (c) => {
      const { params } = checked<FileParams>(c);
      const uploads = uploadsOf(c.var.host);
      const body = c.req.raw.body ?? new Blob([]).stream();
      return c.json(await uploads.add(params.hash, params.name, body), 201);
    },
  );
  app.openapi(
    repoRoute("get", "/uploads/{hash}/{name}", {
      summary: "What is known of a file that was uploaded",
      ...fileParams,
      answer: uploadedSchema,
    }),
    async (c) => {
      const { params } = checked<FileParams>(c);
      const found = await uploadsOf(c.var.host).find(params.hash, params.name);
      return c.json(found ?? notFound("uploaded file", params.name), 200);
    },
  );
  app.openapi(
    repoRoute("post", "/uploads", {
      summary: "Make a folder of files that were uploaded",
      body: folderSchema,
      status: 201,
      answer: uploadedSchema,
    }),
    async (c) => {
      const { body } = checked<never, never, { name: string; files: FolderPart[] }>(c);
      return c.json(await uploadsOf(c.var.host).addFolder(body.name, body.files), 201);
    },
  );
}

function uploadsOf({ uploads }: { readonly uploads: Uploads | undefined }): Uploads {
  if (uploads !== undefined) return uploads;
  throw new ApiError(404, "no-uploads", "Cannot take files: this server has no place for them", {
    hint: "Name files that it can read, such as those of an http address.",
  });
}
