/** Where the repository is kept, and ways to take it elsewhere. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import { errorText } from "../lib/errors.ts";
import { byteSize, plural } from "../lib/format.ts";
import { engineState } from "../state/engine.ts";
import { mayRun } from "../state/instances.ts";
import { exportRepository, importRepository } from "../state/repository.ts";
import { place } from "../state/router.ts";
import { Fact, Section } from "./basics.tsx";
import { Icon } from "./icons.tsx";

/** The panel. */
export function RepositoryPanel(): JSX.Element {
  const state = engineState.value;
  const [note, setNote] = useState("");
  const [isBusy, setBusy] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const attempt = async (work: () => Promise<string>): Promise<void> => {
    setBusy(true);
    setNote("");
    setNote(await work().catch((error: unknown) => `That failed: ${errorText(error)}`));
    setBusy(false);
  };
  return (
    <Section title="Repository">
      {state.phase === "ready" && place.value.kind === "tab" && (
        <dl class="facts">
          <Fact name="Name">{state.info.repo}</Fact>
          <Fact name="Kept in">
            {state.info.store === "opfs"
              ? "SQLite, in this browser's private files"
              : "IndexedDB, in this browser"}
          </Fact>
          {state.info.usage !== undefined && (
            <Fact name="In use">
              {byteSize(state.info.usage)}
              {state.info.quota !== undefined && ` of ${byteSize(state.info.quota)}`}
            </Fact>
          )}
          <Fact name="Durable">
            {state.info.persisted ? "yes" : "the browser may remove it when the disk is nearly full"}
          </Fact>
        </dl>
      )}
      <div class="toolbar">
        <button
          type="button"
          class="button"
          disabled={isBusy}
          onClick={() =>
            void attempt(async () => `Exported ${plural(await exportRepository("redun.jsonl"), "record")}.`)
          }
        >
          <Icon name="download" /> Export
        </button>
        <button
          type="button"
          class="button"
          disabled={isBusy || !mayRun(place.value)}
          onClick={() => picker.current?.click()}
        >
          <Icon name="upload" /> Import
        </button>
        <span role="status">{note}</span>
        <input
          ref={picker}
          type="file"
          accept={place.value.kind === "tab" ? ".jsonl,.db" : ".jsonl"}
          hidden
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            event.currentTarget.value = "";
            if (file !== undefined)
              void attempt(async () => `Imported ${plural(await importRepository(file), "new record")}.`);
          }}
        />
      </div>
      <p class="hint">
        One record a line. The command line reads such a file with <code>redun import</code>, and writes one
        with <code>redun export</code>.
        {place.value.kind === "tab" && (
          <>
            {" "}
            The file <code>.redun/redun.db</code> can be imported as well, also that of Python's redun, to
            look through its history.
          </>
        )}
      </p>
    </Section>
  );
}
