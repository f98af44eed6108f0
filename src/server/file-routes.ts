import { z } from "@hono/zod-openapi";
import { ApiError } from "./api-error.ts";
import type { UploadedFile } from "./api-types.ts";
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

/** Routes that take files for executions to read. */
export function addFileRoutes(app: RepoApp): void {
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
