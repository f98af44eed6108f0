/** The repository's files, and the repository as a file. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { FileEntry } from "../../src/browser/engine-api.ts";
import { Empty, Loaded, Section } from "../components/basics.tsx";
import { DropArea } from "../components/drop-area.tsx";
import { FilePreview } from "../components/file-preview.tsx";
import { Icon } from "../components/icons.tsx";
import { PickedPanel } from "../components/picked-panel.tsx";
import { RepositoryPanel } from "../components/repository-panel.tsx";
import { byteSize } from "../lib/format.ts";
import { FILES_ROOT, fileChanges, fileName, lookAt, PICKED_ROOT, removeFile } from "../state/files.ts";
import { hostOf, TAB } from "../state/place.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate, place as where } from "../state/router.ts";

/** The files below a folder, or one file. */
export function FilesView({ path }: { path: string | undefined }): JSX.Element {
  const place = path ?? FILES_ROOT;
  if (where.value.kind === "instance")
    return <FilesElsewhere host={hostOf(where.value.instance)} path={place} />;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Files</h1>
        <Path path={place} />
      </div>
      <Folder key={place} path={place} />
      {place === FILES_ROOT && <PickedPanel />}
      {place === FILES_ROOT && <RepositoryPanel />}
    </div>
  );
}

/** An instance gives none of its files to the app. */
function FilesElsewhere({ host, path }: { host: string; path: string }): JSX.Element {
  return (
    <div class="page">
      <div class="page-head">
        <h1>Files</h1>
      </div>
      <Empty>
        <p>
          Tasks on {host} read and write files where they run. The instance does not offer these here; values
          that are files show their paths.
        </p>
        <a href={address(path === FILES_ROOT ? ["files"] : ["files", path], {}, TAB)}>Files of this tab</a>
      </Empty>
      <RepositoryPanel />
    </div>
  );
}

/** The folders on the way, as links. */
function Path({ path }: { path: string }): JSX.Element {
  const isPicked = path.startsWith(PICKED_ROOT);
  const start = isPicked ? PICKED_ROOT : FILES_ROOT;
  // The first part of a picked path says what was picked, and is no folder.
  const head = isPicked ? path.indexOf("/", start.length) + 1 : start.length;
  const names = path.slice(head).split("/").filter(Boolean);
  return (
    <nav class="path mono" aria-label="Folder">
      <a href={address(["files"])}>{start}</a>
      {names.map((name, i) => {
        const to = path.slice(0, head) + names.slice(0, i + 1).join("/");
        return (
          <span key={to}>
            {i > 0 && "/"}
            {i === names.length - 1 ? name : <a href={address(["files", to])}>{name}</a>}
          </span>
        );
      })}
    </nav>
  );
}

function Folder({ path }: { path: string }): JSX.Element {
  const resource = useResource(`${path} ${fileChanges.value}`, () => lookAt(path), { keep: true });
  return (
    <Loaded resource={resource}>
      {({ entries, isFile }) =>
        isFile ? <OneFile path={path} /> : <Entries folder={path} entries={entries} />
      }
    </Loaded>
  );
}

function OneFile({ path }: { path: string }): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const remove = async (): Promise<void> => {
    await removeFile(path);
    navigate(address(["files"]));
  };
  // The user's own file stays where it is.
  if (path.startsWith(PICKED_ROOT))
    return (
      <Section title={fileName(path)}>
        <FilePreview path={path} />
      </Section>
    );
  return (
    <Section
      title={fileName(path)}
      actions={
        isAsked ? (
          <span class="toolbar">
            <span>Remove it for good?</span>
            <button type="button" class="button danger small" onClick={() => void remove()}>
              Remove
            </button>
            <button type="button" class="button small" onClick={() => setAsked(false)}>
              Keep
            </button>
          </span>
        ) : (
          <button type="button" class="button small" onClick={() => setAsked(true)}>
            <Icon name="trash" /> Remove
          </button>
        )
      }
    >
      <FilePreview path={path} />
    </Section>
  );
}

function Entries({ folder, entries }: { folder: string; entries: readonly FileEntry[] }): JSX.Element {
  const isRoot = folder === FILES_ROOT;
  if (folder.startsWith(PICKED_ROOT)) return <EntryTable entries={entries} />;
  return (
    <DropArea class="drop-zone" label="Files" takes="all" folder={isRoot ? undefined : folder}>
      {entries.length > 0 ? (
        <EntryTable entries={entries} />
      ) : (
        <Empty>
          <p>There are no files yet.</p>
          <p class="muted">
            Tasks read and write them as <code>new File("{FILES_ROOT}name.csv")</code>.
          </p>
        </Empty>
      )}
    </DropArea>
  );
}

function EntryTable({ entries }: { entries: readonly FileEntry[] }): JSX.Element {
  return (
    <div class="table-scroll">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col" class="number">
              Size
            </th>
          </tr>
        </thead>
        <tbody>
          {entries.map(({ path, size, isFolder }) => (
            <tr key={path}>
              <td>
                <a class="mono" href={address(["files", path])}>
                  {fileName(path)}
                  {isFolder && "/"}
                </a>
              </td>
              <td class="number">{isFolder ? "" : byteSize(size)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
