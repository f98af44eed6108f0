import { RedunError } from "../errors/redun-error.ts";
import { errorRecord } from "../executor/job-error.ts";
import { EXIT, RedunClientError } from "./client-error.ts";
import type { Output } from "./output.ts";

/** What the operating system's error codes mean to people. */
const REASONS: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "not permitted",
  EROFS: "the file system is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  ENOENT: "there is no such file or folder",
  ENOTDIR: "a part of the path is not a folder",
  EISDIR: "it is a folder",
  EMFILE: "too many files are open",
};

/** The process ended its part for a reason that was told already. */
export class Exit extends Error {
  readonly exitCode: number;
  constructor(exitCode: number) {
    super(`exit ${exitCode}`);
    this.exitCode = exitCode;
  }
}

/** Tells the user about an error that ends the command. @returns the exit code */
export function reportError(error: unknown, output: Output): number {
  if (error instanceof Exit) return error.exitCode;
  if (error instanceof RedunError) {
    // Users need not know the parts of the engine.
    const isInner = error.code.startsWith("backend") || error.name === "ServerError";
    const name = isInner ? "RedunClientError" : error.name;
    output.log(`${name}: ${error.message}`, "ERROR");
    if (error.hint !== undefined) output.log(`Hint: ${error.hint}`, "ERROR");
    logStack(error, output);
    return error instanceof RedunClientError ? error.exitCode : EXIT.failed;
  }
  const system = error as NodeJS.ErrnoException;
  const reason =
    error instanceof Error && system.syscall !== undefined ? REASONS[system.code ?? ""] : undefined;
  if (reason !== undefined) {
    output.log(`RedunClientError: Cannot use ${system.path ?? "a file"}: ${reason}`, "ERROR");
  } else {
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    output.log(`Unexpected internal error: ${text}`, "ERROR");
    output.log("This is a bug in redun. Please report it, with the output of --log-level DEBUG.", "ERROR");
  }
  logStack(error, output);
  return EXIT.failed;
}

function logStack(error: unknown, output: Output): void {
  if (!(error instanceof Error) || !output.isOn("DEBUG")) return;
  output.log(error.stack ?? String(error), "DEBUG");
  if (error.cause instanceof Error) output.log(`caused by ${error.cause.stack ?? error.cause}`, "DEBUG");
}

/** An error as part of a JSON document. */
export function errorJson(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { name: "Error", message: String(error) };
  const { name, code, message, hint } = errorRecord(error);
  return { name, ...(code === undefined ? {} : { code }), message, ...(hint === undefined ? {} : { hint }) };
}
