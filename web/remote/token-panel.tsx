/** The tokens of an instance, for its administrators. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { TokenInfo } from "../../src/server/api-types.ts";
import { Loaded } from "../components/basics.tsx";
import { errorText } from "../lib/errors.ts";
import { dateTime } from "../lib/format.ts";
import type { Instance } from "../state/instances.ts";
import { urlOf } from "../state/place.ts";
import { useResource } from "../state/resource.ts";
import { ask } from "./connections.ts";
import { CopyButton } from "./copy-button.tsx";
import { NewTokenForm } from "./new-token-form.tsx";

/** The panel. */
export function TokenPanel({ instance }: { instance: Instance }): JSX.Element {
  const { id } = instance;
  const [turn, setTurn] = useState(0);
  const [made, setMade] = useState<{ token: string; name: string } | undefined>(undefined);
  const tokens = useResource(`${id} ${turn}`, () => ask(id, (client) => client.tokens()), { keep: true });
  const changed = (): void => setTurn((n) => n + 1);
  return (
    <>
      {made !== undefined && (
        <Made id={id} name={made.name} token={made.token} onDone={() => setMade(undefined)} />
      )}
      <Loaded resource={tokens}>{(list) => <TokenTable id={id} tokens={list} onChanged={changed} />}</Loaded>
      <NewTokenForm
        instance={instance}
        onMade={(token, name) => {
          setMade({ token, name });
          changed();
        }}
      />
    </>
  );
}

/** Shows a token this once. */
function Made({
  id,
  name,
  token,
  onDone,
}: {
  id: string;
  name: string;
  token: string;
  onDone: () => void;
}): JSX.Element {
  const text = useRef<HTMLInputElement>(null);
  // The button that had the focus is disabled now, and this is what comes next.
  useEffect(() => text.current?.focus(), [token]);
  return (
    <section class="notice made-token" aria-label={`Token ${name}`}>
      <p role="status">
        The token {name} is made. It is shown this once: <strong>copy it now.</strong>
      </p>
      <input
        ref={text}
        readOnly
        class="mono"
        aria-label={`Token ${name}`}
        value={token}
        onFocus={(event) => event.currentTarget.select()}
      />
      <div class="toolbar">
        <CopyButton text={token} label="Copy token" />
        <CopyButton text={`${urlOf(id)}/#token=${token}`} label="Copy sign-in link" />
        <button type="button" class="button quiet" onClick={onDone}>
          Hide
        </button>
      </div>
    </section>
  );
}

function TokenTable({
  id,
  tokens,
  onChanged,
}: {
  id: string;
  tokens: readonly TokenInfo[];
  onChanged: () => void;
}): JSX.Element {
  return (
    <div class="table-scroll">
      <table class="table tokens">
        <thead>
          <tr>
            <th scope="col">Name</th>
            <th scope="col">Role</th>
            <th scope="col">Repositories</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends</th>
            <th scope="col">
              <span class="visually-hidden">Revoke</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {tokens.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th>
              <td>{token.role}</td>
              <td>{token.repos?.join(", ") ?? "all"}</td>
              <td class="nowrap">{token.lastUsed === null ? "never" : dateTime(token.lastUsed)}</td>
              <td class="nowrap">{endText(token.expires)}</td>
              <td>
                <Revoke id={id} token={token} onChanged={onChanged} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function endText(expires: number | null): string {
  if (expires === null) return "never";
  return `${expires <= Date.now() ? "ended " : ""}${dateTime(expires)}`;
}

/** Asks once more, since nothing brings a token back. */
function Revoke({
  id,
  token,
  onChanged,
}: {
  id: string;
  token: TokenInfo;
  onChanged: () => void;
}): JSX.Element {
  const [isAsked, setAsked] = useState(false);
  const [error, setError] = useState("");
  const revoke = async (): Promise<void> => {
    try {
      await ask(id, (client) => client.revokeToken(token.id));
      onChanged();
    } catch (reason) {
      setError(errorText(reason));
    }
  };
  if (error !== "")
    return (
      <span class="field-error" role="alert">
        {error}
      </span>
    );
  return isAsked ? (
    <div class="row-actions">
      <button type="button" class="button small danger" onClick={() => void revoke()}>
        Revoke {token.name}
      </button>
      <button type="button" class="button small quiet" onClick={() => setAsked(false)}>
        Keep
      </button>
    </div>
  ) : (
    <div class="row-actions">
      <button
        type="button"
        class="button small"
        aria-label={`Revoke ${token.name}…`}
        onClick={() => setAsked(true)}
      >
        Revoke…
      </button>
    </div>
  );
}
