import { z } from "@hono/zod-openapi";
import type { StoredPackage } from "../package/types.ts";
import { ApiError } from "./api-error.ts";
import { checked, hashSchema, jsonSchema, notFound, type RepoApp, repoRoute } from "./route-parts.ts";

const packageSchema = z
  .looseObject({
    hash: hashSchema,
    code: z.string(),
    manifest: z.looseObject({ format: z.literal(1), entry: z.string(), tasks: z.array(z.looseObject({})) }),
    map: z.string().optional(),
  })
  .openapi("Package");

interface HashParams {
  readonly hash: string;
}

/** Routes that take code packages and give them back. */
export function addPackageRoutes(app: RepoApp): void {
  app.openapi(
    repoRoute("put", "/packages/{hash}", {
      summary: "Upload a code package, which is checked against its hash",
      params: { hash: hashSchema },
      body: packageSchema,
      status: 201,
      answer: z.object({ hash: z.string() }),
    }),
    (c) => {
      const { params, body } = checked<HashParams, never, StoredPackage>(c);
      if (body.hash !== params.hash) {
        throw new ApiError(
          400,
          "invalid-request",
          "Cannot take the package: its hash is not that of the address",
        );
      }
      c.var.host.addPackage(body);
      return c.json({ hash: body.hash }, 201);
    },
  );
  app.openapi(
    repoRoute("get", "/packages/{hash}", {
      summary: "Fetch a code package; HEAD asks whether it is here",
      params: { hash: hashSchema },
      answer: packageSchema,
    }),
    (c) => {
      const { hash } = checked<HashParams>(c).params;
      const { state } = c.var.host;
      if (c.req.method === "HEAD")
        return state.hasPackage(hash) ? c.body(null, 200) : notFound("package", hash);
      return c.json(state.package(hash) ?? notFound("package", hash), 200);
    },
  );
  app.openapi(
    repoRoute("get", "/packages/{hash}/tasks", {
      summary: "The tasks of a code package, with their parameters",
      params: { hash: hashSchema },
      answer: z.object({ tasks: z.array(jsonSchema) }),
    }),
    (c) => {
      const { hash } = checked<HashParams>(c).params;
      const { manifest } = c.var.host.state.package(hash) ?? notFound("package", hash);
      const tasks = manifest.tasks.map(({ fullname, parameters, doc, file, line }) => ({
        fullname,
        parameters,
        doc: doc ?? null,
        file,
        line,
      }));
      return c.json({ tasks }, 200);
    },
  );
}
