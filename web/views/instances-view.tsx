/** Places where one may work, and the way to further ones. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { Empty, Section } from "../components/basics.tsx";
import { SignIn } from "../remote/sign-in.tsx";
import { type Instance, instances } from "../state/instances.ts";
import { HERE, hostOf, TAB, typedInstance } from "../state/place.ts";
import { address, navigate } from "../state/router.ts";

const STATES: Readonly<Record<Instance["phase"], string>> = {
  "signed-out": "not signed in",
  connecting: "connecting…",
  away: "does not answer",
  ready: "signed in",
};

/** The view. */
export function InstancesView(): JSX.Element {
  const here = instances.value.get(HERE);
  const others = [...instances.value.values()].filter(({ id }) => id !== HERE);
  return (
    <div class="page narrow">
      <div class="page-head">
        <h1>Where you work</h1>
      </div>
      <Section title="This tab">
        <p>Workflows run in this browser, and their results are kept here.</p>
        <p>
          <a href={address(["executions"], {}, TAB)}>Executions of this tab</a>
        </p>
      </Section>
      {here?.version !== undefined && (
        <Section title="This instance">
          {here.phase === "ready" || here.phase === "away" ? (
            <InstanceLine instance={here} />
          ) : (
            <>
              <p>This page comes from a hosted instance, whose team shares repositories and their results.</p>
              <SignIn id={HERE} />
            </>
          )}
        </Section>
      )}
      <Section title="Other instances">
        {others.map((instance) => (
          <InstanceLine key={instance.id} instance={instance} />
        ))}
        <ConnectForm />
      </Section>
    </div>
  );
}

function InstanceLine({ instance: { id, phase, me } }: { instance: Instance }): JSX.Element {
  return (
    <p class="instance-line">
      <a href={address(["instances", id])}>{hostOf(id)}</a>
      <span class="muted">
        {STATES[phase]}
        {me !== undefined && phase === "ready" && ` as ${me.name} (${me.role})`}
      </span>
    </p>
  );
}

/** Asks for the address of an instance; its token is asked for on its own page. */
function ConnectForm(): JSX.Element {
  const [url, setUrl] = useState("");
  const [error, setError] = useState("");
  const connect = (): void => {
    const id = typedInstance(url.trim());
    if (id === undefined)
      setError("This is not the address of an instance, such as https://redun.example.org");
    else navigate(address(["instances", id]));
  };
  return (
    <form
      class="sign-in"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        connect();
      }}
    >
      <div class="field">
        <div class="field-head">
          <label for="instance-url">Address of an instance</label>
        </div>
        <input
          id="instance-url"
          type="url"
          inputMode="url"
          placeholder="https://redun.example.org"
          spellcheck={false}
          aria-describedby="instance-url-note"
          aria-invalid={error !== ""}
          value={url}
          onInput={(event) => {
            setUrl(event.currentTarget.value);
            setError("");
          }}
        />
        {error !== "" && (
          <p class="field-error" role="alert">
            {error}
          </p>
        )}
        <p id="instance-url-note" class="hint">
          It must allow this page to ask it: <code>redun server --cors-origin {location.origin}</code>
        </p>
      </div>
      <div class="form-actions">
        <button type="submit" class="button" disabled={url.trim() === ""}>
          Connect
        </button>
      </div>
    </form>
  );
}

/** For an address that names none. */
export function NoInstance(): JSX.Element {
  return (
    <Empty>
      <p>This is not the address of an instance.</p>
      <a href={address(["instances"])}>Where you work</a>
    </Empty>
  );
}
