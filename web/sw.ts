/**
 * Keeps the files of one build, so that the app opens without a network. What has a hash in its name never changes and
 * comes from there; all else is asked for first, so that a visit with a network gets the newest build.
 *
 * @module
 */
/** Given by the build. */
declare const VERSION: string;
declare const FILES: readonly string[];
declare const LARGE_FILES: readonly string[];
/** SHA-256 of each file, in hex digits. */
declare const HASHES: Readonly<Record<string, string>>;

const worker = self as unknown as ServiceWorkerGlobalScope;

const PREFIX = "redun-app-";
const CACHE = PREFIX + VERSION;

/** Static hosts may not send these; shared memory needs them. */
const ISOLATION: Readonly<Record<string, string>> = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

worker.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll([...FILES])));
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(Promise.all([removeOldBuilds(), worker.clients.claim()]));
});

// The compiler and the database are large, and a page that needs them asks for them soon enough.
worker.addEventListener("message", (event) => {
  if (event.data === "keep-large-files") event.waitUntil(keepLargeFiles());
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(worker.registration.scope)) return;
  // What an instance answers is neither kept nor held up here.
  if (pathOf(request).startsWith("api/")) return;
  event.respondWith(answer(request));
});

async function removeOldBuilds(): Promise<void> {
  const names = await caches.keys();
  await Promise.all(
    names.filter((name) => name.startsWith(PREFIX) && name !== CACHE).map((name) => caches.delete(name)),
  );
}

async function keepLargeFiles(): Promise<void> {
  const cache = await caches.open(CACHE);
  for (const file of LARGE_FILES) if ((await keptFile(cache, file)) === undefined) await cache.add(file);
}

/**
 * A kept file, if it is what the build made. Code of a workflow runs on this origin, in workers, which may write to the
 * cache as well; nothing of theirs may become a part of the app.
 */
async function keptFile(cache: Cache, file: string): Promise<Response | undefined> {
  const kept = await cache.match(file, { ignoreSearch: true });
  if (kept === undefined) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await kept.clone().arrayBuffer()));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === HASHES[file] ? kept : undefined;
}

/** A request's path below the app. */
function pathOf({ url }: Request): string {
  return new URL(url).href.slice(worker.registration.scope.length).replace(/[?#].*$/, "");
}

/** The name under which the build lists what a request asks for. */
function fileOf(request: Request): string {
  const path = pathOf(request);
  return path === "" || (request.mode === "navigate" && path !== "report.html") ? "./" : path;
}

/** Milliseconds to wait for the network where there is a kept answer. */
const PATIENCE = 3000;

async function answer(request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  const kept = await keptFile(cache, fileOf(request));
  if (kept === undefined) return isolated(await fetch(request));
  if (/-[A-Z0-9]{8,}\.\w+$/.test(new URL(request.url).pathname)) return isolated(kept);
  const late = new Promise<undefined>((resolve) => setTimeout(resolve, PATIENCE, undefined));
  const fresh = await Promise.race([fetch(request).catch(() => undefined), late]);
  return isolated(fresh?.ok ? fresh : kept);
}

function isolated(response: Response): Response {
  if (response.status === 0 || response.headers.has("Cross-Origin-Embedder-Policy")) return response;
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATION)) headers.set(name, value);
  return new Response(response.body, { status: response.status, statusText: response.statusText, headers });
}
