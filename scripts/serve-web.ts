/** Builds the web app and serves it on this machine. `PORT` says where; default 8080. */
import { readFileSync, statSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { extname, join, normalize, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";
import { buildWeb } from "./build-web.ts";
import { securityHeaders } from "./web-headers.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".map": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

/** Below this size a file is not worth compressing. */
const COMPRESS_FROM = 1024;

/** Answers requests with the files of a folder. */
export function staticFiles(folder: string): RequestListener {
  const compressed = new Map<string, Buffer>();
  return (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== "GET" && request.method !== "HEAD") return void response.writeHead(405).end();
    const path = fileOf(folder, request.url ?? "/");
    if (path === undefined)
      return void response.writeHead(404, { "Content-Type": "text/plain" }).end("Not found");
    for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value);
    // The frame for pages that tasks made brings its own policy.
    if (path === join(folder, "report.html")) response.removeHeader("Content-Security-Policy");
    response.setHeader("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
    // Names with a hash never mean anything else.
    const lasting = /-[A-Z0-9]{8,}\.\w+$/.test(path);
    response.setHeader("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    response.setHeader("Vary", "Accept-Encoding");
    let body: Buffer = readFileSync(path);
    if (body.length >= COMPRESS_FROM && /\bgzip\b/.test(String(request.headers["accept-encoding"]))) {
      // A build may take place meanwhile.
      const key = `${path} ${statSync(path).mtimeMs}`;
      const known = compressed.get(key) ?? gzipSync(body);
      compressed.set(key, known);
      body = known;
      response.setHeader("Content-Encoding", "gzip");
    }
    response.setHeader("Content-Length", body.length);
    response.end(request.method === "HEAD" ? undefined : body);
  };
}

/** The file that a request means, if it is one below the folder. */
function fileOf(folder: string, url: string): string | undefined {
  try {
    let path = normalize(join(folder, decodeURIComponent(new URL(url, "http://localhost").pathname)));
    if (path === folder || path === folder + sep) path = join(folder, "index.html");
    if (!path.startsWith(folder + sep)) return undefined;
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined;
  } catch {
    // The address is malformed.
    return undefined;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { outdir } = await buildWeb();
  const port = Number(process.env.PORT ?? 8080);
  createServer(staticFiles(outdir)).listen(port, "127.0.0.1", () =>
    console.log(`redun is at http://127.0.0.1:${port}/ (Ctrl-C ends it)`),
  );
}
