import type { Backend, RecordJson, TagRow } from "../backend/backend.ts";
import type { TagRecord } from "../backend/records.ts";
import type { StoredPackage } from "../package/types.ts";
import { hashStream } from "../value/hash.ts";
import type {
  ExecutionDetail,
  ExecutionEvent,
  ExecutionRequest,
  ExecutionSummary,
  Health,
  IndexedExecution,
  Me,
  Page,
  RepoSummary,
  Role,
  SentFile,
  SignedIn,
  TokenInfo,
  UploadedFile,
} from "./api-types.ts";
import { readEventStream } from "./event-stream.ts";
import { type ClientOptions, pause, ServerError, TRIES, Transport } from "./transport.ts";

export { type ClientOptions, ServerError } from "./transport.ts";

/** What narrows a list of executions. */
export interface ExecutionFilter {
  readonly status?: string | undefined;
  readonly task?: string | undefined;
  /** `KEY` or `KEY=VALUE` */
  readonly tag?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** The methods of a store that a server answers. */
export type StoreQuery =
  | "find"
  | "count"
  | "getValues"
  | "getExecutions"
  | "getJobs"
  | "getCallNodes"
  | "getTasks"
  | "getTags"
  | "tagCounts"
  | "callsOfValue"
  | "parentCalls"
  | "nearestCall"
  | "exportRecords";

/** One repository of a server. All methods throw {@link ServerError}. */
export class RepoClient {
  readonly name: string;
  private readonly transport: Transport;

  constructor(transport: Transport, name: string) {
    this.transport = transport;
    this.name = name;
  }

  private path(rest: string): string {
    return `/repos/${part(this.name)}${rest}`;
  }

  async hasPackage(hash: string): Promise<boolean> {
    try {
      await this.transport.send(this.path(`/packages/${part(hash)}`), { method: "HEAD" });
      return true;
    } catch (error) {
      if (error instanceof ServerError && error.status === 404) {
        // A HEAD request tells nothing of why; a GET of the repository does.
        await this.list({ limit: 1 });
        return false;
      }
      throw error;
    }
  }

  getPackage(hash: string): Promise<StoredPackage> {
    return this.transport.json(this.path(`/packages/${part(hash)}`));
  }

  async putPackage({ hash, code, manifest, map }: StoredPackage): Promise<void> {
    const json = { hash, code, manifest, ...(map === undefined ? {} : { map }) };
    await this.transport.send(this.path(`/packages/${part(hash)}`), { method: "PUT", json });
  }

  /**
   * Starts an execution, once however often the request has to be sent. Of a command line that is too long, what a
   * server records is sent.
   *
   * @returns its id
   */
  async start(request: ExecutionRequest): Promise<string> {
    const headers = { "Idempotency-Key": crypto.randomUUID() };
    const json = { ...request, commandLine: request.commandLine && recordable(request.commandLine) };
    const { id } = await this.transport.json<{ id: string }>(
      this.path("/executions"),
      { method: "POST", json, headers },
      (answer) => typeof answer.id === "string",
    );
    return id;
  }

  list(filter: ExecutionFilter = {}): Promise<Page<ExecutionSummary>> {
    const query = { ...filter };
    return this.transport.json<Page<ExecutionSummary>>(this.path("/executions"), { query }, hasItems);
  }

  execution(id: string): Promise<ExecutionDetail> {
    return this.transport.json(this.path(`/executions/${part(id)}`));
  }

  /** @returns whether there was something to cancel */
  async cancel(id: string): Promise<boolean> {
    const path = this.path(`/executions/${part(id)}/cancel`);
    return (await this.transport.json<{ cancelled: boolean }>(path, { method: "POST", json: {} })).cancelled;
  }

  /**
   * The events of an execution as they come, until it has ended. A connection that breaks is made again, and none is
   * missed or told twice.
   *
   * @param options - `after`: number of the last event that was seen
   */
  async *events(
    id: string,
    { after = 0, signal }: { readonly after?: number; readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<ExecutionEvent> {
    let seen = after;
    let failures = 0;
    const onSign = (): void => {
      failures = 0;
    };
    for (;;) {
      try {
        const response = await this.transport.send(this.path(`/executions/${part(id)}/events`), {
          query: { after: seen },
          headers: { Accept: "text/event-stream" },
          signal,
        });
        for await (const { data } of readEventStream(response.body!, onSign)) {
          const event = JSON.parse(data) as ExecutionEvent;
          if (event.seq <= seen) continue;
          seen = event.seq;
          yield event;
          if (event.type === "execution-end") return;
        }
        // A proxy may end the stream before that, and of what ended long ago the events may be gone.
        const { status } = await this.execution(id);
        if (status !== "QUEUED" && status !== "RUNNING" && (failures > 0 || seen > 0)) return;
      } catch (error) {
        if (signal?.aborted || (error instanceof ServerError && error.status >= 400 && error.status < 500))
          throw error;
        if (failures >= TRIES) throw error instanceof ServerError ? error : this.transport.unreachable(error);
      }
      await pause(0.5 * ++failures, signal);
    }
  }

  /** A file that was sent before. @param hash - of its content: the first 40 hex digits of its SHA-512 */
  async findUpload(hash: string, name: string): Promise<UploadedFile | undefined> {
    try {
      return await this.transport.json(this.path(`/uploads/${part(hash)}/${part(name)}`));
    } catch (error) {
      if (error instanceof ServerError && error.code === "not-found") return undefined;
      throw error;
    }
  }

  /** Sends a file for executions to read. Browsers send no streams over HTTP/1.1, so theirs are blobs. */
  upload(hash: string, name: string, body: ReadableStream<Uint8Array> | Blob): Promise<UploadedFile> {
    const path = this.path(`/uploads/${part(hash)}/${part(name)}`);
    return this.transport.json(path, { method: "PUT", body });
  }

  /** Sends a file, unless the server has one of its name and content. */
  async sendFile(name: string, blob: Blob): Promise<SentFile> {
    const content = await contentHash(blob);
    const known = await this.findUpload(content, name);
    return {
      ...(known ?? (await this.upload(content, name, blob))),
      content,
      name,
      isNew: known === undefined,
    };
  }

  /** Makes a folder of files that were sent. */
  uploadFolder(
    name: string,
    files: readonly { readonly path: string; readonly hash: string; readonly name: string }[],
  ): Promise<UploadedFile> {
    return this.transport.json(this.path("/uploads"), { method: "POST", json: { name, files } });
  }

  /**
   * A recorded file as it is, of which a browser can make a blob.
   *
   * @param hash - of its value
   * @param length - so many of its first bytes, at most
   */
  fileContent(hash: string, length?: number): Promise<Response> {
    const headers = length === undefined ? {} : { Range: `bytes=0-${length - 1}` };
    return this.transport.send(this.filePath(hash), { headers });
  }

  /** A recorded file as it comes. @param hash - of its value */
  fileStream(hash: string): Promise<ReadableStream<Uint8Array>> {
    return this.transport.stream(this.filePath(hash));
  }

  private filePath(hash: string): string {
    return this.path(`/files/${part(hash)}/content`);
  }

  async query<M extends StoreQuery>(
    method: M,
    ...args: Parameters<Backend[M]>
  ): Promise<Awaited<ReturnType<Backend[M]>>> {
    const isOne = method === "count" || method === "nearestCall";
    const { result } = await this.transport.json<{ result: unknown }>(
      this.path(`/query/${method}`),
      { method: "POST", json: { args } },
      (answer) => isOne || Array.isArray(answer.result),
    );
    return withoutNulls(result) as Awaited<ReturnType<Backend[M]>>;
  }

  async addTags(tags: readonly TagRecord[], fresh: boolean): Promise<TagRow[]> {
    const json = { tags, fresh };
    return (await this.transport.json<{ tags: TagRow[] }>(this.path("/tags"), { method: "POST", json })).tags;
  }

  async missing(ids: readonly string[]): Promise<string[]> {
    const { missing } = await this.transport.json<{ missing: string[] }>(
      this.path("/sync/missing"),
      { method: "POST", json: { ids } },
      (answer) => Array.isArray(answer.missing),
    );
    return missing;
  }

  /** Sends records. @returns how many were new there */
  async sendRecords(records: readonly RecordJson[]): Promise<number> {
    const text = records.map((record) => `${JSON.stringify(record)}\n`).join("");
    const path = this.path("/sync/records");
    return (await this.transport.json<{ added: number }>(path, { method: "POST", text })).added;
  }

  /** Ids of all that some ids refer to, or of everything, some at a time. @throws ServerError unless it gets all of them */
  async *reachable(ids?: readonly string[]): AsyncGenerator<readonly string[]> {
    const path = this.path("/sync/reachable");
    const json = ids === undefined ? {} : { ids };
    for await (const line of this.transport.lines(path, { method: "POST", json })) {
      const list = listIn(line);
      if (list === undefined) break;
      // The last one says that there are no more.
      if (list.length === 0) return;
      yield list;
    }
    throw this.transport.unreachable(new Error("its answer broke off"));
  }
}

/** The longest word of a command line that a server records, and the most of them. */
const [LONGEST_WORD, MOST_WORDS] = [10_000, 1000];

function recordable(line: readonly string[]): readonly string[] {
  const words = line.map((word) =>
    word.length <= LONGEST_WORD ? word : `${word.slice(0, LONGEST_WORD - 1)}…`,
  );
  return words.length <= MOST_WORDS ? words : [...words.slice(0, MOST_WORDS - 1), "…"];
}

/** The first 40 hex digits of a file's SHA-512, read a piece at a time. Not all browsers can iterate over a stream. */
async function contentHash(blob: Blob): Promise<string> {
  const hashing = hashStream();
  const reader = blob.stream().getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hashing.digest();
    hashing.update(value);
  }
}

/** The ids in a line. @returns nothing if it is not whole */
function listIn(line: string): string[] | undefined {
  try {
    const list: unknown = JSON.parse(line);
    return Array.isArray(list) ? list : undefined;
  } catch {
    return undefined;
  }
}

const hasItems = ({ items }: { readonly items: unknown }): boolean => Array.isArray(items);

/** JSON has no `undefined`, which a store answers for what it does not have. */
function withoutNulls(result: unknown): unknown {
  if (result === null) return undefined;
  return Array.isArray(result) ? result.map((item: unknown) => item ?? undefined) : result;
}

/**
 * A part of a path.
 *
 * @throws ServerError for what would be another path, which the name of nothing is
 */
function part(name: string): string {
  if (name !== "" && name !== "." && name !== "..") return encodeURIComponent(name);
  const message = `There is nothing of the name ${JSON.stringify(name)}`;
  throw new ServerError(404, { code: "not-found", message });
}

/** A hosted instance. All methods throw {@link ServerError}. */
export class Client {
  private readonly transport: Transport;

  constructor(url: string, options: ClientOptions) {
    this.transport = new Transport(url, options);
  }

  get url(): string {
    return this.transport.url;
  }

  repo(name: string): RepoClient {
    return new RepoClient(this.transport, name);
  }

  /** @param options - `tries`: how often it is asked at most, as somebody may wait for the answer. Default 5 */
  health({ tries }: { readonly tries?: number } = {}): Promise<Health> {
    return this.transport.json("/health", tries === undefined ? {} : { tries });
  }

  me(): Promise<Me> {
    return this.transport.json("/me");
  }

  /** Begins a session in a browser, kept in a cookie, and goes on in it. */
  async signIn(token: string): Promise<SignedIn> {
    const signedIn = await this.transport.json<SignedIn>("/session", { method: "POST", json: { token } });
    this.transport.session = signedIn.key;
    return signedIn;
  }

  async signOut(): Promise<void> {
    await this.transport.send("/session", { method: "DELETE" });
    this.transport.session = undefined;
  }

  async repos(): Promise<readonly RepoSummary[]> {
    return (await this.transport.json<{ items: RepoSummary[] }>("/repos", {}, hasItems)).items;
  }

  async createRepo(name: string): Promise<void> {
    await this.transport.send("/repos", { method: "POST", json: { name } });
  }

  /**
   * Removes a repository with all that it has.
   *
   * @param options - `force`: cancels executions that have not ended, which prevent it otherwise
   */
  async removeRepo(name: string, { force = false }: { readonly force?: boolean } = {}): Promise<void> {
    await this.transport.send(`/repos/${encodeURIComponent(name)}`, {
      method: "DELETE",
      query: { force: String(force) },
    });
  }

  /** Executions of all repositories, newest first. */
  executions(
    query: { status?: string; limit?: number; cursor?: string } = {},
  ): Promise<Page<IndexedExecution>> {
    return this.transport.json("/executions", { query });
  }

  async tokens(): Promise<readonly TokenInfo[]> {
    return (await this.transport.json<{ items: TokenInfo[] }>("/tokens")).items;
  }

  /** @returns the token's text, which is never told again */
  createToken(token: {
    readonly name: string;
    readonly role: Role;
    readonly repos?: readonly string[] | null;
    readonly expires?: number | null;
  }): Promise<{ token: string; info: TokenInfo }> {
    // A second try might make a second one, which nobody knows of.
    return this.transport.json("/tokens", { method: "POST", json: token, tries: 1 });
  }

  async revokeToken(id: string): Promise<void> {
    await this.transport.send(`/tokens/${part(id)}`, { method: "DELETE" });
  }
}

/**
 * A client of a hosted instance.
 *
 * @example
 * ```ts
 * import { createClient } from "redun/server";
 *
 * const client = createClient("http://localhost:8787", { token: "redun_..." });
 * const { items } = await client.repo("default").list({ status: "FAILED" });
 * ```
 * @param url - address of the server, such as `https://redun.example.org`
 */
export function createClient(url: string, options: ClientOptions = {}): Client {
  return new Client(url, options);
}
