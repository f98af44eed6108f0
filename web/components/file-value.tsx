/** Files and folders that are values. */
import type { JSX } from "preact";
import { isDir } from "../../src/file/dir.ts";
import { repositoryPath } from "../state/files.ts";
import type { Place } from "../state/place.ts";
import { address, place } from "../state/router.ts";
import { FilePreview } from "./file-preview.tsx";

type InstancePlace = Extract<Place, { kind: "instance" }>;

/** A file that an instance has recorded, or so many of its first bytes. */
async function recordedFile(at: InstancePlace, hash: string, end: number | undefined): Promise<Blob> {
  const { repoOf } = await import("../remote/connections.ts");
  return await (await repoOf(at).fileContent(hash, end)).blob();
}

/** A file or folder by its path, as it is now. */
export function FileValue({
  file,
}: {
  file: { readonly path: string; readonly knownHash?: string | undefined };
}): JSX.Element {
  const { path, knownHash } = file;
  const at = place.value;
  // An instance's tasks name files of their own; one of the same path here is another.
  const here = at.kind === "tab" ? repositoryPath(path) : undefined;
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
      {at.kind !== "tab" && knownHash !== undefined && !isDir(file) && (
        <FilePreview path={path} read={async (end) => recordedFile(at, knownHash, end)} />
      )}
    </div>
  );
}
