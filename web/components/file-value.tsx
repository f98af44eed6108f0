/** Files and folders that are values. */
import type { JSX } from "preact";
import { address } from "../state/router.ts";
import { FilePreview } from "./file-preview.tsx";

/** A file by its path, as it is now. */
export function FileValue({ file }: { file: { readonly path: string } }): JSX.Element {
  const { path } = file;
  const isHere = path.startsWith("opfs:");
  return (
    <div class="file-value">
      <p>
        {isHere ? (
          <a class="mono" href={address(["files", path])}>
            {path}
          </a>
        ) : (
          <code>{path}</code>
        )}
      </p>
      {isHere && <FilePreview path={path} />}
    </div>
  );
}
