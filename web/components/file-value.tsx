/** Files and folders that are values. */
import type { JSX } from "preact";
import { isDir } from "../../src/file/dir.ts";
import { repositoryPath } from "../state/files.ts";
import { address, place } from "../state/router.ts";
import { FilePreview } from "./file-preview.tsx";

/** A file or folder by its path, as it is now. */
export function FileValue({ file }: { file: { readonly path: string } }): JSX.Element {
  const { path } = file;
  // An instance's tasks name files of their own; one of the same path here is another.
  const here = place.value.kind === "tab" ? repositoryPath(path) : undefined;
  return (
    <div class="file-value">
      <p>
        {here === undefined ? (
          <code>{path}</code>
        ) : (
          <a class="mono" href={address(["files", here])}>
            {path}
          </a>
        )}
      </p>
      {here !== undefined && !isDir(file) && <FilePreview path={here} />}
    </div>
  );
}
