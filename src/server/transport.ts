import { RedunError } from "../errors/redun-error.ts";
import type { ErrorBody } from "./api-types.ts";

/** How a client asks. */
export interface ClientOptions {
  /** Without one, the browser's session is used. */
  readonly token?: string | undefined;
  /** Key of that session, as signing in answered it. */
  readonly session?: string | undefined;
  readonly fetch?: typeof fetch | undefined;
}

/** An answer of a server that is no success. `code` is the server's, `status` that of HTTP. */
export class ServerError extends RedunError {
  readonly status: number;
  /** Seconds after which asking again makes sense, where the server says so. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    { code, message, hint }: ErrorBody["error"],
    retryAfter?: number,
    options: { readonly cause?: unknown } = {},
  ) {
    super(code, message, { hint, fields: { status }, ...options });
    this.name = "ServerError";
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/** What a request is besides its path. */
export interface Call {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly text?: string;
  readonly body?: ReadableStream<Uint8Array> | Blob;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** How often it is sent at most. Default 5. */
  readonly tries?: number;
}

/** So often is a request sent again that a server did not answer, or was too busy for. */
export const TRIES = 5;
const busy: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Sends requests to one server, and tries again what may be repeated. */
export class Transport {
  /** The server's address, without a slash at the end. */
  readonly url: string;
  /** Key of the browser's session. */
  session: string | undefined;
  private readonly token: string | undefined;
  private readonly fetcher: typeof fetch;

  constructor(url: string, { token, session, fetch: fetcher }: ClientOptions) {
    this.url = url.replace(/\/+$/, "");
    this.token = token;
    this.session = session;
    this.fetcher = fetcher ?? ((input, init) => fetch(input, init));
  }

  /** @throws ServerError with what the server says, or with the code `unreachable` */
  send(path: string, call: Call = {}): Promise<Response> {
    return this.ask(path, call, async (response) => response);
  }

  /**
   * An answer of JSON. One that breaks off is asked for again, as one that does not come.
   *
   * @param fits - whether the answer has what is needed of it
   */
  json<T extends object>(path: string, call: Call = {}, fits?: (answer: T) => boolean): Promise<T> {
    return this.ask(path, call, async (response) => {
      let answer: T;
      try {
        answer = (await response.json()) as T;
      } catch (cause) {
        if (!(cause instanceof SyntaxError)) throw cause;
        // Some sites answer every address with a page.
        throw this.strange(path, response.status, "something other than JSON", cause);
      }
      if (typeof answer !== "object" || answer === null || fits?.(answer) === false)
        throw this.strange(path, response.status, "something else than it was asked for");
      return answer;
    });
  }

  /** The body of an answer as it comes. @throws ServerError, also when it is read, if it breaks off */
  async stream(path: string, call?: Call): Promise<ReadableStream<Uint8Array>> {
    const { body } = await this.send(path, call);
    const reader = body!.getReader();
    return new ReadableStream({
      pull: async (controller) => {
        const { done, value } = await reader.read().catch((cause: unknown) => {
          throw this.unreachable(cause);
        });
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    });
  }

  /** The lines of an answer as they come. @throws ServerError if it breaks off */
  async *lines(path: string, call?: Call): AsyncGenerator<string> {
    yield* linesOf(await this.stream(path, call));
  }

  /** What is told when there is no answer, or only a part of one. */
  unreachable(cause: unknown): ServerError {
    const error = {
      code: "unreachable",
      message: `Cannot reach the server ${this.url}: ${causeText(cause)}`,
      hint: "Check the address and the network, and whether the server runs.",
    };
    return new ServerError(0, error, undefined, { cause });
  }

  /** What is told when an answer is not what one of our servers sends. */
  strange(path: string, status: number, what: string, cause?: unknown): ServerError {
    const error = {
      code: "http",
      message: `Cannot understand the server ${this.url}: it answered ${path} with ${what}`,
      hint: "Is this the address of a redun server?",
    };
    return new ServerError(status, error, undefined, { cause });
  }

  private async ask<T>(path: string, call: Call, read: (response: Response) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      let error: ServerError;
      try {
        const response = await this.sendOnce(path, call);
        if (response.ok) return await read(response);
        error = isRedirection(response)
          ? redirected(response, path, this.url)
          : await readError(response, this.url);
        if (!busy.has(error.status) || error.code === "too-many-failures") throw error;
      } catch (cause) {
        if (call.signal?.aborted || cause instanceof ServerError) throw cause;
        error = this.unreachable(cause);
      }
      // What is read from a stream is gone.
      if (attempt >= (call.tries ?? TRIES) || call.body instanceof ReadableStream) throw error;
      await pause(error.retryAfter ?? 0.2 * 2 ** attempt, call.signal);
    }
  }

  private sendOnce(
    path: string,
    { method = "GET", query = {}, json, text, body: file, headers, signal }: Call,
  ): Promise<Response> {
    const url = new URL(`${this.url}/api/v1${path}`);
    for (const [key, value] of Object.entries(query)) {
      if (value !== undefined) url.searchParams.set(key, String(value));
    }
    const type =
      file !== undefined
        ? "application/octet-stream"
        : json === undefined
          ? "application/x-ndjson"
          : "application/json";
    const body = file ?? (json === undefined ? text : JSON.stringify(json));
    return this.fetcher(url, {
      method,
      headers: {
        ...(this.token === undefined ? {} : { Authorization: `Bearer ${this.token}` }),
        ...(this.session === undefined ? {} : { "X-Redun-Session": this.session }),
        ...(body === undefined ? {} : { "Content-Type": type }),
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
      // What is sent as it is read can't be sent again, so there is no answer before it was read.
      ...(file instanceof ReadableStream ? { duplex: "half" } : {}),
      ...(signal === undefined ? {} : { signal }),
      redirect: "manual",
    });
  }
}

/** What a browser shows of a redirection that is not followed tells no more than that it is one. */
const isRedirection = ({ type, status }: Response): boolean =>
  type === "opaqueredirect" || (status >= 300 && status < 400);

/** A redirection is not followed: neither what is sent nor the token is for another server. */
function redirected({ status, headers }: Response, path: string, server: string): ServerError {
  const to = targetOf(headers.get("location"), server);
  return new ServerError(status, {
    code: "redirected",
    message: `Cannot use the server ${server}: it sends requests on${to === undefined ? "" : ` to ${to}`}`,
    hint:
      to?.endsWith(path.split("?", 1)[0]!) === true
        ? `Use the address ${to.slice(0, to.indexOf("/api/v1"))}.`
        : "Check the address, and whether something in front of the server asks one to sign in.",
  });
}

/** Where a redirection leads to, without what may be secret. */
function targetOf(location: string | null, server: string): string | undefined {
  if (location === null || !URL.canParse(location, server)) return undefined;
  const { origin, pathname } = new URL(location, server);
  return `${origin}${pathname}`;
}

function causeText(error: unknown): string {
  const { cause, message } = error as { cause?: { message?: string; code?: string }; message?: string };
  return cause?.message || cause?.code || message || String(error);
}

async function readError(response: Response, server: string): Promise<ServerError> {
  const retryAfter = Number(response.headers.get("retry-after") ?? Number.NaN);
  let told: ErrorBody["error"] | undefined;
  try {
    const { error } = (await response.json()) as ErrorBody;
    if (typeof error.code === "string" && typeof error.message === "string") told = error;
  } catch {
    // It is not one of our servers, or something in front of it has answered.
  }
  const fallback = {
    code: "http",
    message: `The server ${server} answered ${response.status} ${response.statusText}`.trim(),
    hint: [502, 503, 504].includes(response.status)
      ? "The server behind that address does not answer; ask whoever runs it, or try again later."
      : "Is this the address of a redun server?",
  };
  return new ServerError(
    response.status,
    told ?? fallback,
    Number.isNaN(retryAfter) ? undefined : retryAfter,
  );
}

/** Waits, unless a signal ends it. @param seconds - at most a minute */
export function pause(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      clearTimeout(timer);
      reject(signal!.reason as Error);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", stop);
      resolve();
    }, Math.min(seconds, 60) * 1000);
    signal?.addEventListener("abort", stop, { once: true });
  });
}

/** Not all browsers can iterate over a stream. */
async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + decoder.decode(value, { stream: true })).split("\n");
      rest = lines.pop()!;
      for (const line of lines) if (line !== "") yield line;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
  if (rest !== "") yield rest;
}
