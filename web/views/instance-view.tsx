/** An instance: who one is there, its repositories, what its team ran last, and its tokens. */
import type { JSX } from "preact";
import { Fact, Section } from "../components/basics.tsx";
import { RecentExecutions } from "../remote/recent-executions.tsx";
import { RepositoryList } from "../remote/repository-list.tsx";
import { SignIn } from "../remote/sign-in.tsx";
import { TokenPanel } from "../remote/token-panel.tsx";
import { type Instance, instanceState, signOut } from "../state/instances.ts";
import { HERE, hostOf, instanceOf } from "../state/place.ts";
import { NoInstance } from "./instances-view.tsx";

/** The view. */
export function InstanceView({ id: text, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const id = instanceOf(text);
  if (id === undefined) return <NoInstance />;
  const instance = instanceState(id);
  const { me } = instance;
  return (
    <div class="page">
      <div class="page-head">
        <h1>{hostOf(id)}</h1>
        {me !== undefined && instance.phase !== "signed-out" && (
          <button type="button" class="button" onClick={() => void signOut(id)}>
            {id === HERE ? "Sign out" : "Disconnect"}
          </button>
        )}
      </div>
      {me === undefined || instance.phase === "signed-out" || instance.phase === "connecting" ? (
        <>
          {id !== HERE && (
            <p>
              You are about to connect to <strong>{hostOf(id)}</strong>. Give its token only if you know this
              instance.
            </p>
          )}
          <SignIn id={id} />
        </>
      ) : (
        <Overview instance={instance} query={query} />
      )}
    </div>
  );
}

const ROLES = {
  viewer: "viewer, who reads",
  runner: "runner, who reads, runs, cancels, tags and pushes",
  admin: "administrator, who may do everything here",
} as const;

function Overview({ instance, query }: { instance: Instance; query: URLSearchParams }): JSX.Element {
  const { id, me, version, error, phase } = instance;
  return (
    <>
      <dl class="facts">
        <Fact name="Signed in as">{me!.name}</Fact>
        <Fact name="Role">{ROLES[me!.role]}</Fact>
        <Fact name="Version">{version}</Fact>
        {phase === "away" && <Fact name="State">does not answer; it is asked again every few seconds</Fact>}
      </dl>
      <RepositoryList instance={instance} />
      <RecentExecutions key={`${phase} ${error === undefined}`} id={id} query={query} />
      {me!.role === "admin" && (
        <Section title="Tokens">
          <TokenPanel instance={instance} />
        </Section>
      )}
    </>
  );
}
