/** The repositories of an instance, and how an administrator makes another. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Section } from "../components/basics.tsx";
import { errorText } from "../lib/errors.ts";
import { dateTime } from "../lib/format.ts";
import type { Instance } from "../state/instances.ts";
import { address } from "../state/router.ts";
import { ask, refreshInstance } from "./connections.ts";

/** The list. */
export function RepositoryList({ instance: { id, repos = [], me } }: { instance: Instance }): JSX.Element {
  return (
    <Section title="Repositories">
      {repos.length === 0 ? (
        <p class="muted">There is none that your token is for.</p>
      ) : (
        <ul class="repositories">
          {repos.map(({ name, created }) => {
            const at = { kind: "instance", instance: id, repo: name } as const;
            return (
              <li key={name}>
                <a href={address(["executions"], {}, at)}>{name}</a>
                <span class="muted">since {dateTime(created)}</span>
                {me?.role !== "viewer" && <a href={address(["workflow"], {}, at)}>Run a workflow</a>}
              </li>
            );
          })}
        </ul>
      )}
      {me?.role === "admin" && <CreateRepository id={id} />}
    </Section>
  );
}

function CreateRepository({ id }: { id: string }): JSX.Element {
  const [name, setName] = useState("");
  const [error, setError] = useState("");
  const create = async (): Promise<void> => {
    setError("");
    try {
      await ask(id, (client) => client.createRepo(name.trim()));
      setName("");
      await refreshInstance(id);
    } catch (reason) {
      setError(errorText(reason));
    }
  };
  return (
    <form
      class="toolbar"
      onSubmit={(event) => {
        event.preventDefault();
        void create();
      }}
    >
      <label class="field-inline">
        <span>New repository</span>
        <input
          type="text"
          autocomplete="off"
          spellcheck={false}
          placeholder="name"
          value={name}
          onInput={(event) => setName(event.currentTarget.value)}
        />
      </label>
      <button type="submit" class="button" disabled={name.trim() === ""}>
        Create
      </button>
      {error !== "" && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
