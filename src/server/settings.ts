import { ApiError } from "./api-error.ts";

/** What an operator may set of a hosted instance, wherever it is. What is left out has its default where it is used. */
export interface InstanceSettings {
  /** Origins of other sites that may use the API from a browser. */
  readonly corsOrigins: readonly string[];
  /** Most executions of a repository at work at once. */
  readonly maxRunning: number | undefined;
  /** Most executions of a repository that wait or are at work; more are refused. */
  readonly maxQueued: number | undefined;
  /** Largest body of a request, in bytes. */
  readonly maxBody: number | undefined;
  /** Most streams of events of a repository that are open at once, of all tokens and of one. */
  readonly maxStreams: number | undefined;
  readonly maxTokenStreams: number | undefined;
  /** Most bytes that files take which clients send to a repository. */
  readonly maxUploads: number | undefined;
  /** After so many days without being asked for, such a file goes that no record is about. */
  readonly uploadDays: number | undefined;
}

/** The text of a setting by its name, such as `max_running`, and what the name is to the operator. */
export interface SettingsSource {
  readonly get: (name: string) => string | number | undefined;
  readonly nameOf: (name: string) => string;
}

/** Reads the settings that both homes of an instance have. @throws ApiError with the code `settings` if one is malformed */
export function readInstanceSettings(source: SettingsSource): InstanceSettings {
  return {
    corsOrigins: listOf(source, "cors_origins").map((text) => {
      if (URL.canParse(text) && new URL(text).origin === text) return text;
      throw malformed(source, "cors_origins", text, "Name origins, such as https://app.example.org.");
    }),
    maxRunning: count(source, "max_running"),
    maxQueued: count(source, "max_queued"),
    maxBody: count(source, "max_body"),
    maxStreams: count(source, "max_streams"),
    maxTokenStreams: count(source, "max_token_streams"),
    maxUploads: count(source, "max_uploads"),
    uploadDays: count(source, "upload_days"),
  };
}

/** The items of a setting, which commas separate. */
export function listOf({ get }: SettingsSource, name: string): string[] {
  return String(get(name) ?? "")
    .split(",")
    .flatMap((item) => item.trim() || []);
}

/** A setting that is a whole number above 0. */
export function count(source: SettingsSource, name: string): number | undefined {
  const text = source.get(name);
  if (text === undefined || text === "") return undefined;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw malformed(source, name, String(text), "Write a whole number above 0.");
}

export function malformed({ nameOf }: SettingsSource, name: string, text: string, hint: string): ApiError {
  return new ApiError(500, "settings", `Cannot read ${nameOf(name)}: ${JSON.stringify(text)} is malformed`, {
    hint,
  });
}
