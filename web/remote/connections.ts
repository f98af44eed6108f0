/** Connections to instances: who is signed in where, and what to do when one is lost. */
import { type Client, createClient, type RepoClient, ServerError } from "../../src/server/client.ts";
import { getTabEngine, type PlaceEngine } from "../state/engine.ts";
import {
  instanceState,
  keepSession,
  keepToken,
  keptSession,
  removeInstance,
  setInstance,
  setSignedOut,
} from "../state/instances.ts";
import { followEvents, noteChanges } from "../state/live.ts";
import { HERE, hostOf, isOpen, type Place, urlOf } from "../state/place.ts";
import { RemoteEngine } from "./remote-engine.ts";

/** Milliseconds after which an instance that did not answer is asked again. */
const RETRY = 4000;

type InstancePlace = Extract<Place, { kind: "instance" }>;

/** A connection with an instance, and the engines of its repositories. */
class Connection {
  readonly id: string;
  readonly client: Client;
  /** Key of the session, with the instance that the page came from. */
  private readonly session: string | undefined;
  private readonly engines = new Map<string, Promise<RemoteEngine>>();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private isClosed = false;

  constructor(id: string, client: Client, session?: string) {
    this.id = id;
    this.client = client;
    this.session = session;
  }

  /** Asks who one is there and what one may use, and notes it. */
  async refresh(): Promise<void> {
    const [me, repos, { version }] = await Promise.all([
      this.client.me(),
      this.client.repos(),
      this.client.health(),
    ]);
    const known = instanceState(this.id);
    const since = known.phase === "ready" ? known.since : Date.now();
    if (!this.isClosed)
      setInstance({ id: this.id, phase: "ready", me, repos, version, ...(since && { since }) });
  }

  /** Does something with the instance, and notes what a failure tells of the connection. */
  readonly guard = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      this.note(error);
      throw error;
    }
  };

  private note(error: unknown): void {
    if (this.isClosed || !(error instanceof ServerError)) return;
    if (error.status === 401) {
      close(this);
      // Somebody may have signed in anew in another tab.
      const session = this.id === HERE ? keptSession() : undefined;
      if (session !== undefined && session !== this.session) void reconnect(HERE, undefined);
      else setSignedOut(this.id, "Your session is over, or your token was taken back. Sign in again.");
    } else if (error.status === 0 || error.status === 502 || error.status === 503) this.wait(error);
  }

  /** Asks again until the instance answers. */
  private wait(error: unknown): void {
    setInstance({ ...instanceState(this.id), id: this.id, phase: "away", error });
    clearTimeout(this.retry);
    this.retry = setTimeout(() => void this.tryAgain(), RETRY);
  }

  async tryAgain(): Promise<void> {
    clearTimeout(this.retry);
    if (this.isClosed) return;
    try {
      await this.client.health({ tries: 1 });
    } catch (error) {
      this.wait(error);
      return;
    }
    await this.guard(() => this.refresh()).catch(() => {});
    noteChanges();
  }

  engine(repo: string): Promise<RemoteEngine> {
    let engine = this.engines.get(repo);
    if (engine === undefined) {
      engine = this.open(repo);
      this.engines.set(repo, engine);
    }
    return engine;
  }

  private async open(repo: string): Promise<RemoteEngine> {
    const engine = new RemoteEngine(this.client.repo(repo), { tab: getTabEngine, guard: this.guard });
    await followEvents(engine, { kind: "instance", instance: this.id, repo });
    return engine;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.retry);
    for (const engine of this.engines.values()) void engine.then((open) => open.close());
  }
}

const connections = new Map<string, Connection>();

function close(connection: Connection): void {
  connection.close();
  if (connections.get(connection.id) === connection) connections.delete(connection.id);
}

function adopt(connection: Connection): void {
  connections.get(connection.id)?.close();
  connections.set(connection.id, connection);
}

function connectionOf(id: string): Connection {
  const connection = connections.get(id);
  if (connection !== undefined) return connection;
  throw new ServerError(401, {
    code: "unauthorized",
    message: `Cannot ask ${hostOf(id)}: you are not signed in there`,
    hint: "Sign in with a token.",
  });
}

/** The client of an instance that the page is signed in to. */
export const clientOf = (id: string): Client => connectionOf(id).client;

/** The client of a repository. */
export const repoOf = ({ instance, repo }: InstancePlace): RepoClient => clientOf(instance).repo(repo);

/** Does something with an instance. A failure that tells of the connection is noted. */
export function ask<T>(id: string, work: (client: Client) => Promise<T>): Promise<T> {
  const connection = connectionOf(id);
  return connection.guard(() => work(connection.client));
}

/** The engine of a repository of an instance. */
export async function remoteEngine({ instance, repo }: InstancePlace): Promise<PlaceEngine> {
  return connectionOf(instance).engine(repo);
}

/** Asks again what there is. */
export const refreshInstance = (id: string): Promise<void> =>
  connectionOf(id).guard(() => connectionOf(id).refresh());

/** Asks at once whether an instance that did not answer is there again. */
export const tryAgain = async (id: string): Promise<void> => connections.get(id)?.tryAgain();

/** Goes on with a session of an earlier page, or with a token that the tab keeps. */
export async function reconnect(id: string, token: string | undefined): Promise<void> {
  const session = id === HERE ? keptSession() : undefined;
  const connection = new Connection(id, createClient(urlOf(id), { token, session }), session);
  adopt(connection);
  await connection
    .guard(() => connection.refresh())
    .catch((error: unknown) => {
      if (id !== HERE && isRefusal(error)) keepToken(id, undefined);
      else if (isRefusal(error) && keptSession() === session) keepSession(undefined);
      if (instanceState(id).phase === "connecting") setSignedOut(id, error);
    });
}

const isRefusal = (error: unknown): boolean => error instanceof ServerError && error.status === 401;

/** Signs in. */
export async function signIn(id: string, token: string, isKept: boolean): Promise<void> {
  // What people copy may bring spaces and line ends along.
  const text = token.trim();
  const client = createClient(urlOf(id), id === HERE ? {} : { token: text });
  try {
    await checkReach(id);
    const session = id === HERE ? (await client.signIn(text)).key : undefined;
    const connection = new Connection(id, client, session);
    await connection.refresh();
    adopt(connection);
    if (id === HERE) keepSession(session);
    else keepToken(id, isKept ? text : undefined);
  } catch (error) {
    setSignedOut(id, isRefusal(error) ? "The instance does not know this token, or it has ended." : error);
  }
}

/** @throws Error with what may be the reason, since a browser does not tell a page why a request came to nothing */
async function checkReach(id: string): Promise<void> {
  try {
    // Nobody is told the token who is not an instance.
    const { status, api } = await createClient(urlOf(id)).health({ tries: 1 });
    if (status === "ok" && api === 1) return;
  } catch (error) {
    if (!(error instanceof ServerError) || error.code !== "unreachable") throw error;
    throw new ServerError(0, {
      code: "unreachable",
      message: `Cannot reach ${urlOf(id)}.`,
      hint: reasonsOf(id),
    });
  }
  throw new ServerError(0, {
    code: "no-instance",
    message: `${urlOf(id)} is no redun instance, or one of another version.`,
    hint: "Check the address.",
  });
}

function reasonsOf(id: string): string {
  if (id === HERE) return "Check the network, and whether the server runs.";
  if (location.protocol === "https:" && isOpen(id))
    return "This page came over https, and browsers let such a page ask no server over http. Use the instance's https address.";
  return (
    "Either it does not run at this address, or it does not allow this page to ask it. " +
    `An instance allows it if it is started with: redun server --cors-origin ${location.origin}`
  );
}

/** Signs out, and forgets what was kept. */
export async function signOut(id: string): Promise<void> {
  const connection = connections.get(id);
  keepToken(id, undefined);
  if (id === HERE) {
    const key = keptSession();
    keepSession(undefined);
    // The cookie goes even if the server can't be asked to end the session: it is worth nothing without its key.
    await createClient(urlOf(HERE), { session: key })
      .signOut()
      .catch(() => {});
  }
  if (connection !== undefined) close(connection);
  if (id === HERE) setSignedOut(id);
  else removeInstance(id);
}
