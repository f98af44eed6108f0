import { readFileSync, statSync } from "node:fs";
import { extname, join, normalize, sep } from "node:path";
import { gzipSync } from "node:zlib";
import { securityHeaders } from "../../server/web-headers.ts";

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

/** Below this size, in bytes, a file is not worth compressing. */
const COMPRESS_FROM = 1024;

/** Answers requests with the files of a folder. @returns what answers one, or `undefined` where there is no such file */
export function staticAssets(folder: string): (request: Request) => Response | undefined {
  const compressed = new Map<string, Buffer>();
  return (request) => {
    const path = fileOf(folder, request.url);
    if (path === undefined) return undefined;
    const headers = new Headers(securityHeaders);
    // The frame for pages that tasks made brings its own policy.
    if (path === join(folder, "report.html")) headers.delete("Content-Security-Policy");
    headers.set("Content-Type", TYPES[extname(path)] ?? "application/octet-stream");
    // Names with a hash never mean anything else.
    const lasting = /-[A-Z0-9]{8,}\.\w+$/.test(path);
    headers.set("Cache-Control", lasting ? "public, max-age=31536000, immutable" : "no-cache");
    headers.set("Vary", "Accept-Encoding");
    let body: Buffer<ArrayBuffer> = readFileSync(path);
    if (body.length >= COMPRESS_FROM && /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "")) {
      // A build may take place meanwhile.
      const key = `${path} ${statSync(path).mtimeMs}`;
      const known = compressed.get(key) ?? gzipSync(body);
      compressed.set(key, known);
      body = known as Buffer<ArrayBuffer>;
      headers.set("Content-Encoding", "gzip");
    }
    headers.set("Content-Length", String(body.length));
    return new Response(request.method === "HEAD" ? null : body, { headers });
  };
}

/** The file that an address means, if it is one below the folder. */
function fileOf(folder: string, url: string): string | undefined {
  try {
    let path = normalize(join(folder, decodeURIComponent(new URL(url).pathname)));
    if (path === folder || path === folder + sep) path = join(folder, "index.html");
    if (!path.startsWith(folder + sep)) return undefined;
    return statSync(path, { throwIfNoEntry: false })?.isFile() ? path : undefined;
  } catch {
    // The address is malformed.
    return undefined;
  }
}
