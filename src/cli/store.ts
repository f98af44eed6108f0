import { SqliteBackend } from "../backends/sqlite-backend.ts";
import { RedunClientError } from "./client-error.ts";
import { type Config, sqlitePath } from "./config.ts";

/** Path of the store that the configuration names. */
export function storePath(config: Config): string {
  const uri = config.get("backend", "db_uri")!;
  const path = sqlitePath(uri);
  if (path !== undefined) return path;
  throw new RedunClientError(`Cannot open the store ${uri}: only sqlite stores are supported`, {
    hint: "Set db_uri in [backend] of redun.ini to sqlite:///redun.db.",
  });
}

/** The store that the configuration names, not opened yet. */
export function makeStore(config: Config): SqliteBackend {
  const text = config.get("backend", "max_value_size");
  const maxValueSize = text === undefined ? undefined : Number(text);
  if (maxValueSize !== undefined && !(maxValueSize > 0)) {
    throw new RedunClientError(
      `Cannot read the configuration: max_value_size in [backend] must be a number, not ${text}`,
    );
  }
  return new SqliteBackend({
    path: storePath(config),
    ...(maxValueSize === undefined ? {} : { maxValueSize }),
  });
}

/** Opens the store; `migrate` brings an older one up to date, unless the configuration forbids it. */
export async function openStore(
  config: Config,
  options: { readonly migrate: boolean },
): Promise<SqliteBackend> {
  const store = makeStore(config);
  const allowed = !/^(false|no|off|0)$/i.test(config.get("backend", "automigrate") ?? "true");
  await store.load({ migrate: options.migrate && allowed });
  return store;
}
