/** Lets one see an instance's repository when one is signed in there, and says what is wrong otherwise. */
import type { ComponentChildren, JSX } from "preact";
import { type Instance, instanceState } from "../state/instances.ts";
import { hostOf, TAB } from "../state/place.ts";
import { address, place } from "../state/router.ts";
import { Empty, ErrorNotice } from "./basics.tsx";
import { lazy } from "./lazy.tsx";

const SignIn = lazy<{ id: string }>(async () => (await import("../remote/sign-in.tsx")).SignIn);

/** What is in it, or what it takes to see that. */
export function PlaceGate({ children }: { children: ComponentChildren }): JSX.Element {
  const at = place.value;
  if (at.kind === "tab") return <>{children}</>;
  const instance = instanceState(at.instance);
  if (instance.phase === "connecting")
    return (
      <p class="loading" role="status">
        Connecting to {hostOf(at.instance)}…
      </p>
    );
  if (instance.phase === "away" && instance.repos === undefined) return <Away instance={instance} />;
  if (instance.repos === undefined || instance.phase === "signed-out")
    return (
      <div class="page">
        <h1>{hostOf(at.instance)}</h1>
        <SignIn id={at.instance} />
        <p>
          <a href={address(["workflow"], {}, TAB)}>Work in this tab instead</a>
        </p>
      </div>
    );
  if (!instance.repos.some(({ name }) => name === at.repo))
    return (
      <Empty>
        <p>
          {hostOf(at.instance)} has no repository {at.repo}, or it is not for your token.
        </p>
        <a href={address(["instances", at.instance])}>Repositories of {hostOf(at.instance)}</a>
      </Empty>
    );
  return (
    <>
      {instance.phase === "away" && <Away instance={instance} />}
      {children}
    </>
  );
}

/** Says that an instance does not answer, and what one may do meanwhile. */
export function Away({ instance: { id, error } }: { instance: Instance }): JSX.Element {
  const tryNow = async (): Promise<void> => (await import("../remote/connections.ts")).tryAgain(id);
  return (
    <div class="place-notice">
      <ErrorNotice
        title={`${hostOf(id)} does not answer. It is asked again every few seconds.`}
        error={error}
      />
      <div class="toolbar">
        <button type="button" class="button" onClick={() => void tryNow()}>
          Try now
        </button>
        <a class="button quiet" href={address(["workflow"], {}, TAB)}>
          Work in this tab
        </a>
      </div>
    </div>
  );
}
