import { RedunError, type RedunErrorOptions } from "../errors/redun-error.ts";

/**
 * Something could not be done to a file or a folder. `fields.path` names it. Adapters put what their system calls
 * the failure in `fields`: `errno` (such as `EISDIR`) for a local file, `status` for one reached over HTTP.
 */
export class FileError extends RedunError {
  /**
   * @param code - `file`, or a more telling one of a subclass
   * @param verb - what was tried, such as `read`
   * @param path - the path it was tried on
   * @param state - why it failed, such as `it is a folder`
   */
  constructor(code: string, verb: string, path: string, state: string, options: RedunErrorOptions = {}) {
    super(code, `Cannot ${verb} ${path}: ${state}`, { ...options, fields: { path, ...options.fields } });
  }
}

/** There is no file or folder at the path. */
export class FileNotFoundError extends FileError {
  constructor(verb: string, path: string, options: RedunErrorOptions = {}) {
    super("file-not-found", verb, path, "no such file", options);
  }
}

/** The file system refuses access, or cannot be written at all. */
export class FilePermissionError extends FileError {
  constructor(verb: string, path: string, state = "permission denied", options: RedunErrorOptions = {}) {
    super("file-permission", verb, path, state, options);
  }
}

/** A file's hash is needed where there is no time to compute it. */
export class FileHashUnknownError extends FileError {
  constructor(path: string) {
    super("file-hash-unknown", "encode", path, "its hash has not been computed", {
      hint: "Await its hash() first. The scheduler does so for arguments and results.",
    });
  }
}

/** A path is not one, or does not fit where it is given. */
export class InvalidPathError extends FileError {
  constructor(verb: string, path: string, state: string, options: RedunErrorOptions = {}) {
    super("invalid-path", verb, path, state, options);
  }
}
