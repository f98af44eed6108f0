/** The repository's files, and the repository as a file. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { FileEntry } from "../../src/browser/engine-api.ts";
import { Empty, Loaded, Section } from "../components/basics.tsx";
import { FilePreview } from "../components/file-preview.tsx";
import { Icon } from "../components/icons.tsx";
import { RepositoryPanel } from "../components/repository-panel.tsx";
import { errorText } from "../lib/errors.ts";
import { byteSize } from "../lib/format.ts";
import { addFiles, FILES_ROOT, fileChanges, fileName, listFiles, removeFile } from "../state/files.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate } from "../state/router.ts";

/** The files below a folder, or one file. */
export function FilesView({ path }: { path: string | undefined }): JSX.Element {
  const place = path ?? FILES_ROOT;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Files</h1>
        <Path path={place} />
      </div>
      <Folder key={place} path={place} />
      {place === FILES_ROOT && <RepositoryPanel />}
    </div>
  );
}

/** The folders on the way, as links. */
function Path({ path }: { path: string }): JSX.Element {
  const parts = path.slice(FILES_ROOT.length).split("/").filter(Boolean);
  return (
    <nav class="path mono" aria-label="Folder">
      <a href={address(["files"])}>{FILES_ROOT}</a>
      {parts.map((part, i) => {
        const to = FILES_ROOT + parts.slice(0, i + 1).join("/");
        return (
          <span key={to}>
            {i > 0 && "/"}
            {i === parts.length - 1 ? part : <a href={address(["files", to])}>{part}</a>}
          </span>
        );
      })}
    </nav>
  );
}

function Folder({ path }: { path: string }): JSX.Element {
  const resource = useResource(
    `${path} ${fileChanges.value}`,
    async () => {
      if (path === FILES_ROOT) return { entries: await listFiles(path), isFile: false };
      const parent = path.slice(0, path.lastIndexOf("/"));
      const siblings = await listFiles(parent === "opfs:/" ? FILES_ROOT : parent);
      const isFile = siblings.some((entry) => entry.path === path && !entry.isFolder);
      return { entries: isFile ? [] : await listFiles(path), isFile };
    },
    { keep: true },
  );
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
  const [isOver, setOver] = useState(false);
  const [error, setError] = useState<string | undefined>(undefined);
  const picker = useRef<HTMLInputElement>(null);
  const prefix = folder === FILES_ROOT ? "" : `${folder.slice(FILES_ROOT.length)}/`;
  const take = async (files: readonly File[]): Promise<void> => {
    try {
      await addFiles(files.map((file) => new File([file], prefix + file.name, { type: file.type })));
      setError(undefined);
    } catch (failure) {
      setError(errorText(failure));
    }
  };
  return (
    <section
      class={`drop-zone ${isOver ? "over" : ""}`}
      aria-label="Files"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        void take([...(event.dataTransfer?.files ?? [])]);
      }}
    >
      <div class="toolbar">
        <button type="button" class="button" onClick={() => picker.current?.click()}>
          <Icon name="upload" /> Add files
        </button>
        <span class="hint">or drop them here. They stay in this browser.</span>
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            void take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = "";
          }}
        />
      </div>
      {error !== undefined && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
      {entries.length === 0 ? (
        <Empty>
          <p>There are no files yet.</p>
          <p class="muted">
            Tasks read and write them as <code>new File("{FILES_ROOT}name.csv")</code>.
          </p>
        </Empty>
      ) : (
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
      )}
    </section>
  );
}
