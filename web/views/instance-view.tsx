/** An instance: who one is there, its repositories, what its team ran last, and its tokens. */
import type { JSX } from "preact";
import type { Me } from "../../src/server/api-types.ts";
import { Fact, Section } from "../components/basics.tsx";
import { Away } from "../components/place-gate.tsx";
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
      <Content instance={instance} query={query} />
    </div>
  );
}

function Content({ instance, query }: { instance: Instance; query: URLSearchParams }): JSX.Element {
  const { id, phase, me } = instance;
  if (phase === "signed-out" || phase === "connecting") return <SignIn id={id} />;
  return (
    <>
      {phase === "away" && <Away instance={instance} />}
      {me !== undefined && <Overview instance={instance} me={me} query={query} />}
    </>
  );
}

const ROLES = {
  viewer: "viewer, who reads",
  runner: "runner, who reads, runs, cancels, tags and pushes",
  admin: "administrator, who may do everything here",
} as const;

function Overview({
  instance,
  me,
  query,
}: {
  instance: Instance;
  me: Me;
  query: URLSearchParams;
}): JSX.Element {
  const { id, version, error, phase } = instance;
  return (
    <>
      <dl class="facts">
        <Fact name="Signed in as">{me.name}</Fact>
        <Fact name="Role">{ROLES[me.role]}</Fact>
        <Fact name="Version">{version}</Fact>
      </dl>
      <RepositoryList instance={instance} />
      <RecentExecutions key={`${phase} ${error === undefined}`} id={id} query={query} />
      {me.role === "admin" && (
        <Section title="Tokens">
          <TokenPanel instance={instance} />
        </Section>
      )}
    </>
  );
}
