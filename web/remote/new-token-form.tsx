/** Makes tokens for people and programs. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { Role } from "../../src/server/api-types.ts";
import { errorText } from "../lib/errors.ts";
import type { Instance } from "../state/instances.ts";
import { ask } from "./connections.ts";

const ROLES: readonly (readonly [Role, string])[] = [
  ["viewer", "viewer: reads"],
  ["runner", "runner: also runs, cancels, tags and pushes"],
  ["admin", "admin: also manages repositories and tokens"],
];

const DAYS = [7, 30, 90, 365] as const;
const DAY = 86_400_000;

/** The form. An administrator of some repositories makes tokens for those only. */
export function NewTokenForm({
  instance: { id, repos = [], me },
  onMade,
}: {
  instance: Instance;
  onMade: (token: string, name: string) => void;
}): JSX.Element {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("runner");
  const [days, setDays] = useState<number | undefined>(90);
  const [chosen, setChosen] = useState<readonly string[]>([]);
  const [error, setError] = useState("");
  const isLimited = me?.repos !== null;
  const make = async (): Promise<void> => {
    setError("");
    try {
      const made = await ask(id, (client) =>
        client.createToken({
          name: name.trim(),
          role,
          repos: chosen.length > 0 ? chosen : (me?.repos ?? null),
          expires: days === undefined ? null : Date.now() + days * DAY,
        }),
      );
      setName("");
      onMade(made.token, made.info.name);
    } catch (reason) {
      setError(errorText(reason));
    }
  };
  return (
    <form
      class="new-token"
      aria-label="New token"
      onSubmit={(event) => {
        event.preventDefault();
        void make();
      }}
    >
      <h3>New token</h3>
      <div class="toolbar">
        <label class="field-inline">
          <span>Name</span>
          <input
            type="text"
            autocomplete="off"
            placeholder="who or what it is for"
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="field-inline">
          <span>Role</span>
          <select value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>
            {ROLES.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label class="field-inline">
          <span>Ends</span>
          <select
            value={days ?? ""}
            onChange={(event) => setDays(Number(event.currentTarget.value) || undefined)}
          >
            {DAYS.map((count) => (
              <option key={count} value={count}>
                in {count} days
              </option>
            ))}
            <option value="">never</option>
          </select>
        </label>
      </div>
      <fieldset class="toolbar">
        <legend class="hint">
          Repositories; without a choice,{" "}
          {isLimited ? "those that your token is for" : "all, also later ones"}
        </legend>
        {repos.map((repo) => (
          <label key={repo.name} class="check">
            <input
              type="checkbox"
              checked={chosen.includes(repo.name)}
              onChange={(event) =>
                setChosen(
                  event.currentTarget.checked
                    ? [...chosen, repo.name]
                    : chosen.filter((other) => other !== repo.name),
                )
              }
            />
            {repo.name}
          </label>
        ))}
      </fieldset>
      <div class="form-actions">
        <button type="submit" class="button" disabled={name.trim() === ""}>
          Make token
        </button>
      </div>
      {error !== "" && (
        <p class="field-error" role="alert">
          {error}
        </p>
      )}
    </form>
  );
}
