/** A value, in the ways in which one can look at it. */
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { ValueRow } from "../../src/backend/backend.ts";
import { isDir } from "../../src/file/dir.ts";
import { isFile } from "../../src/file/file.ts";
import {
  bytesOf,
  type ChartData,
  chartOf,
  imageOf,
  modesOf,
  tableOf,
  textOfBytes,
  type ValueMode,
} from "../lib/value-kind.ts";
import { valueText } from "../lib/value-text.ts";
import { type Decoded, decodeText } from "../state/values.ts";
import { ImageView, PageView } from "./embedded.tsx";
import { FileValue } from "./file-value.tsx";
import { HexView } from "./hex-view.tsx";
import { lazy } from "./lazy.tsx";
import { ValueTable } from "./value-table.tsx";

const Chart = lazy<{ data: ChartData }>(async () => (await import("./chart.tsx")).Chart);

const NO_BYTES = new Uint8Array();

const TITLES: Readonly<Record<ValueMode, string>> = {
  text: "Text",
  table: "Table",
  chart: "Chart",
  image: "Image",
  page: "Page",
  hex: "Bytes",
  file: "File",
  json: "JSON",
};

/** A value that was decoded. `text` is its encoding, shown where its type is not known here. */
export function ValueView({
  decoded,
  text,
  isBrief = false,
}: {
  decoded: Decoded;
  text: string;
  isBrief?: boolean;
}): JSX.Element {
  const modes = useMemo(
    (): readonly ValueMode[] => (decoded.known ? modesOf(decoded.value) : ["json"]),
    [decoded],
  );
  const [chosen, setChosen] = useState<ValueMode | undefined>(undefined);
  const mode = chosen !== undefined && modes.includes(chosen) ? chosen : modes[0]!;
  return (
    <div class={`value ${isBrief ? "brief" : ""}`}>
      {modes.length > 1 && (
        <div class="modes" role="group" aria-label="Show as">
          {modes.map((each) => (
            <button key={each} type="button" aria-pressed={each === mode} onClick={() => setChosen(each)}>
              {TITLES[each]}
            </button>
          ))}
        </div>
      )}
      <ValueContent value={decoded.known ? decoded.value : undefined} text={text} mode={mode} />
    </div>
  );
}

function ValueContent({ value, text, mode }: { value: unknown; text: string; mode: ValueMode }): JSX.Element {
  switch (mode) {
    case "table":
      return <ValueTable table={tableOf(value)!} />;
    case "chart":
      return <Chart data={chartOf(value)!} />;
    case "image":
      return <ImageView image={imageOf(value)!} />;
    case "page":
      return <PageView text={value as string} />;
    case "hex":
      return <HexView bytes={bytesOf(value)!} />;
    case "file":
      return isFile(value) || isDir(value) ? (
        <FileValue file={value} />
      ) : (
        <pre class="value-text">{text}</pre>
      );
    case "json":
      return (
        <>
          <p class="muted">Only its workflow knows this type; this is how it is stored.</p>
          <pre class="value-text">{text}</pre>
        </>
      );
    default:
      return <pre class="value-text">{valueText(textOfBytes(bytesOf(value) ?? NO_BYTES) ?? value)}</pre>;
  }
}

/** A value of the store. */
export function StoredValue({
  value,
  isBrief = false,
}: {
  value: ValueRow | undefined;
  isBrief?: boolean;
}): JSX.Element {
  const decoded = useMemo(() => (value === undefined ? undefined : decodeText(value.text)), [value]);
  if (value === undefined || decoded === undefined) return <p class="muted">It is not in the store.</p>;
  return <ValueView decoded={decoded} text={value.text} isBrief={isBrief} />;
}
