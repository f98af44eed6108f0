import { Dexie, type Table, type Transaction } from "dexie";
import type { LoadOptions } from "../backend/backend.ts";
import { BackendVersionError } from "../errors/errors.ts";
import type { Key } from "./indexed-db-keys.ts";
import type {
  StoredCalls,
  StoredExecution,
  StoredJob,
  StoredTag,
  StoredTask,
  StoredValue,
} from "./indexed-db-records.ts";

/** One step of the schema's history. */
export interface SchemaStep {
  /** Whole number from 1 on, which grows from step to step. */
  readonly version: number;
  /** The stores that the step makes or changes, each with its key and indexes as Dexie writes them. */
  readonly stores: Readonly<Record<string, string | null>>;
  /** Brings the records of the version before up to date. */
  readonly upgrade?: (transaction: Transaction) => PromiseLike<void>;
}

/** All steps, oldest first. A released step is never edited. */
export const SCHEMA: readonly SchemaStep[] = [
  {
    version: 1,
    stores: {
      executions: "id, [startTime+id]",
      jobs: "id, [startTime+id], [executionId+startTime+id], parentId, callHash",
      calls: "evalHash, *callHashes, *held, *uses, *below, [taskHash+time]",
      values: "hash, *subvalues, type, file",
      tasks: "hash, name, fullname",
      tags: "tagHash, entityId, key, *parents",
    },
  },
];

/** The open database and its stores. */
export type Database = Dexie & {
  readonly executions: Table<StoredExecution, Key>;
  readonly jobs: Table<StoredJob, Key>;
  readonly calls: Table<StoredCalls, Key>;
  readonly values: Table<StoredValue, Key>;
  readonly tasks: Table<StoredTask, Key>;
  readonly tags: Table<StoredTag, Key>;
};

/** IndexedDB counts in tenths of Dexie's versions. */
const TENTHS = 10;

/**
 * Opens a database, and makes it or brings it up to date.
 *
 * @param steps - the schema's history; other than the default for tests of it
 * @throws BackendVersionError if the database is newer, another program's, or older and must not be changed
 */
export async function openDatabase(
  name: string,
  { migrate = true }: LoadOptions = {},
  steps: readonly SchemaStep[] = SCHEMA,
): Promise<Database> {
  const latest = steps.at(-1)!.version;
  check(name, await probe(name), latest, migrate);
  const db = new Dexie(name, {
    // A store that another tab has taken away is not opened again behind the back of who uses it.
    autoOpen: false,
    // Nobody watches queries here.
    cache: "disabled",
    // As with SQLite's write-ahead log, a loss of power may cost the newest records, and nothing else.
    chromeTransactionDurability: "relaxed",
  }) as Database;
  for (const { version, stores, upgrade } of steps) {
    const step = db.version(version).stores(stores as Record<string, string | null>);
    if (upgrade !== undefined) step.upgrade(upgrade);
  }
  // Another tab wants a newer schema. This one must let go, and must not go on with what it does not know.
  db.on("versionchange", () => {
    db.close({ disableAutoOpen: true });
    return false;
  });
  await db.open();
  const version = db.backendDB().version / TENTHS;
  if (version > latest) {
    db.close();
    throw tooNew(name, version, latest);
  }
  return db;
}

/** What there is under a name. */
interface Found {
  /** 0 if there is nothing. */
  readonly version: number;
  readonly stores: readonly string[];
}

/** Looks at a database as it is; opening it through Dexie might change it. */
function probe(name: string): Promise<Found> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name);
    let isAbsent = false;
    request.onupgradeneeded = () => {
      isAbsent = true;
      request.transaction!.abort();
    };
    request.onsuccess = () => {
      const { version, objectStoreNames } = request.result;
      request.result.close();
      resolve({ version: version / TENTHS, stores: [...objectStoreNames] });
    };
    request.onerror = (event) => {
      event.preventDefault();
      if (isAbsent) resolve({ version: 0, stores: [] });
      else reject(request.error);
    };
  });
}

function check(name: string, found: Found, latest: number, mayMigrate: boolean): void {
  const { version, stores } = found;
  if (version === 0) return;
  if (!["executions", "jobs"].every((store) => stores.includes(store))) {
    throw new BackendVersionError(`Cannot open the store ${name}: it holds data of another program`, {
      hint: "Use another name.",
      fields: { path: name },
    });
  }
  if (version > latest) throw tooNew(name, version, latest);
  if (version < latest && !mayMigrate) {
    throw new BackendVersionError(
      `Cannot open the store ${name}: its version ${version} is older than ${latest}`,
      { hint: "Load it with `migrate: true` to bring it up to date.", fields: { path: name, version } },
    );
  }
}

function tooNew(name: string, version: number, latest: number): BackendVersionError {
  return new BackendVersionError(
    `Cannot open the store ${name}: its version ${version} is too new for this redun, which knows up to ${latest}`,
    {
      hint: "Reload the page to get the newest redun, or use another store.",
      fields: { path: name, version },
    },
  );
}
