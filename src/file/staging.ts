import { shellCopy } from "./shell.ts";

/**
 * A file or folder that is needed at one place and kept at another: the pair of a local path and a remote one.
 * Its hash is that of the two paths; what they hold does not matter.
 */
export abstract class Staging<T extends { readonly path: string }> {
  /** Where a script reads and writes. */
  abstract readonly local: T;
  /** Where the file is kept. */
  abstract readonly remote: T;

  /** Whether whole folders are copied. */
  protected abstract readonly recursive: boolean;

  /** Copies from remote to local, unless they are one. @returns the local one */
  abstract stage(): Promise<T>;

  /** Copies from local to remote, unless they are one. @returns the remote one */
  abstract unstage(): Promise<T>;

  /** The shell command of {@link stage}; empty if there is nothing to copy. */
  renderStage(options: { readonly asMount?: boolean } = {}): string {
    return shellCopy(this.remote.path, this.local.path, { ...options, recursive: this.recursive });
  }

  /** The shell command of {@link unstage}; empty if there is nothing to copy. */
  renderUnstage(options: { readonly asMount?: boolean } = {}): string {
    return shellCopy(this.local.path, this.remote.path, { ...options, recursive: this.recursive });
  }
}
