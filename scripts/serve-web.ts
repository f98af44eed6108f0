/** Builds the web app and serves it on this machine. `PORT` says where; default 8080. */
import { createServer, type RequestListener } from "node:http";
import { pathToFileURL } from "node:url";
import { getRequestListener } from "@hono/node-server";
import { staticAssets } from "../src/cli/server/static-assets.ts";
import { buildWeb } from "./build-web.ts";

/** Answers requests with the files of a folder. */
export function staticFiles(folder: string): RequestListener {
  const assets = staticAssets(folder);
  return getRequestListener((request) => {
    if (request.method !== "GET" && request.method !== "HEAD") return new Response(null, { status: 405 });
    return assets(request) ?? new Response("Not found", { status: 404 });
  });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { outdir } = await buildWeb();
  const port = Number(process.env.PORT ?? 8080);
  const server = createServer(staticFiles(outdir));
  server.on("error", ({ message }) => {
    console.error(`Cannot serve the app: ${message}. PORT=8081 npm start takes another port.`);
    process.exitCode = 1;
  });
  server.listen(port, "127.0.0.1", () =>
    console.log(`redun is at http://127.0.0.1:${port}/ (Ctrl-C ends it)`),
  );
}
