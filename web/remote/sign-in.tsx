/** Signs in to an instance with a token. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ErrorNotice } from "../components/basics.tsx";
import { instanceState, signIn } from "../state/instances.ts";
import { HERE, hostOf, isOpen } from "../state/place.ts";

/** The form. What is wrong with an earlier attempt, or why the session ended, shows above. */
export function SignIn({ id }: { id: string }): JSX.Element {
  const { phase, error } = instanceState(id);
  const [token, setToken] = useState("");
  const [isKept, setKept] = useState(false);
  const isBusy = phase === "connecting";
  // The field that had the focus goes with the form.
  useEffect(() => () => void setTimeout(focusMain), []);
  return (
    <form
      class="sign-in"
      onSubmit={(event) => {
        event.preventDefault();
        if (token.trim() !== "") void signIn(id, token, isKept);
      }}
    >
      {error !== undefined && <ErrorNotice title={`You are not signed in to ${hostOf(id)}`} error={error} />}
      {id !== HERE && (
        <p>
          You are about to connect to <strong>{hostOf(id)}</strong>. Give it a token only if you know this
          instance.
        </p>
      )}
      {isOpen(id) && (
        <p class="notice">
          The connection to {hostOf(id)} is not encrypted: others on the way can read the token.
        </p>
      )}
      <div class="field">
        <div class="field-head">
          <label for="sign-in-token">Token</label>
        </div>
        <input
          id="sign-in-token"
          type="password"
          autocomplete="off"
          spellcheck={false}
          aria-describedby="sign-in-note"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
        <p id="sign-in-note" class="hint">
          {id === HERE
            ? "An administrator of the instance gives it to you. It is changed for a session of this browser, which ends after 14 days or when you sign out; the token itself is not kept."
            : "An administrator of the instance gives it to you. It is sent to this instance only, and forgotten when you reload or close the page."}
        </p>
      </div>
      {id !== HERE && (
        <label class="check">
          <input
            type="checkbox"
            checked={isKept}
            onChange={(event) => setKept(event.currentTarget.checked)}
          />
          Keep the token until this tab is closed
        </label>
      )}
      <div class="form-actions">
        <button type="submit" class="button primary" disabled={isBusy || token.trim() === ""}>
          {isBusy ? "Signing in…" : "Sign in"}
        </button>
      </div>
    </form>
  );
}

function focusMain(): void {
  if (document.activeElement === document.body) document.getElementById("main")?.focus();
}
