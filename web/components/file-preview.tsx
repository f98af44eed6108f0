/** The beginning of a file, as what it seems to be. */
import type { JSX } from "preact";
import { useMemo } from "preact/hooks";
import { parseCsv } from "../lib/csv.ts";
import { byteSize } from "../lib/format.ts";
import { fileName, readFile, saveBlob } from "../state/files.ts";
import { useResource } from "../state/resource.ts";
import { Loaded } from "./basics.tsx";
import { Icon } from "./icons.tsx";
import { ValueView } from "./value-view.tsx";

/** So much of a file is shown, in bytes. */
const PREVIEW = 1 << 20;

/** The preview, and a button that saves the file. */
export function FilePreview({
  path,
  read = (end) => readFile(path, end),
}: {
  path: string;
  /** Reads its content, or so many of its first bytes. Default: from this tab's files. */
  read?: (end?: number) => Promise<Blob>;
}): JSX.Element {
  const resource = useResource(path, async () => {
    const bytes = new Uint8Array(await (await read(PREVIEW)).arrayBuffer());
    return previewOf(path, bytes);
  });
  return (
    <div class="file-preview">
      <div class="toolbar">
        <button
          type="button"
          class="button small"
          onClick={() => void read().then((blob) => saveBlob(blob, fileName(path)))}
        >
          <Icon name="download" /> Save a copy
        </button>
      </div>
      <Loaded resource={resource}>{(preview) => <PreviewContent preview={preview} />}</Loaded>
    </div>
  );
}

interface Preview {
  readonly value: unknown;
  readonly isCut: boolean;
}

function PreviewContent({ preview }: { preview: Preview }): JSX.Element {
  const decoded = useMemo(() => ({ known: true, value: preview.value }) as const, [preview]);
  return (
    <>
      <ValueView decoded={decoded} text="" />
      {preview.isCut && <p class="hint">The first {byteSize(PREVIEW)} are shown.</p>}
    </>
  );
}

function previewOf(path: string, bytes: Uint8Array<ArrayBuffer>): Preview {
  const isCut = bytes.length >= PREVIEW;
  const text = textOf(bytes, isCut);
  if (text === undefined) return { value: bytes, isCut };
  const extension = /\.(\w+)$/.exec(path)?.[1]?.toLowerCase();
  if (extension === "json" && !isCut) {
    try {
      return { value: JSON.parse(text), isCut };
    } catch {
      // It is shown as the text that it is.
    }
  }
  if (extension === "csv" || extension === "tsv")
    return { value: parseCsv(text, extension === "tsv" ? "\t" : ","), isCut };
  return { value: text, isCut };
}

/** Bytes as text, if they are UTF-8. The last character may be cut. */
function textOf(bytes: Uint8Array<ArrayBuffer>, isCut: boolean): string | undefined {
  if (bytes.subarray(0, 4096).includes(0)) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes, { stream: isCut });
  } catch {
    return undefined;
  }
}
