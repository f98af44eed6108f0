/** A workflow that came with a link. Nothing of it runs before the user says so. */
import type { JSX } from "preact";
import { Empty, Loaded } from "../components/basics.tsx";
import type { SourceEditorProps } from "../components/editor.tsx";
import { Icon } from "../components/icons.tsx";
import { lazy } from "../components/lazy.tsx";
import { reachOf, type SharedWorkflow, unpackWorkflow } from "../lib/share.ts";
import { ENTRY, fileNames, joinedText, type Sources } from "../lib/sources.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate } from "../state/router.ts";
import { takeShared } from "../state/workflow.ts";

const SourceEditor = lazy<SourceEditorProps>(
  async () => (await import("../components/editor.tsx")).SourceEditor,
);

/** The question, with the code. */
export function SharedView({ text }: { text: string }): JSX.Element {
  const resource = useResource(text, () => unpackWorkflow(text));
  if (resource.phase === "failed")
    return (
      <Empty>
        <p>This link is damaged, or from another version of the app.</p>
        <a href={address(["workflow"])}>Open the workflow</a>
      </Empty>
    );
  return <Loaded resource={resource}>{(shared) => <Question shared={shared} />}</Loaded>;
}

function Question({ shared }: { shared: SharedWorkflow }): JSX.Element {
  const sources: Sources = { ...shared.files, [ENTRY]: shared.source };
  const names = fileNames(sources);
  const reach = reachOf(joinedText(sources));
  const open = (): void => {
    takeShared(shared);
    navigate(address(["workflow", "shared"]));
  };
  const given = Object.entries(shared.texts);
  return (
    <div class="page shared">
      <div class="page-head">
        <h1>A workflow from a link</h1>
      </div>
      <p>
        Somebody made this code. It has not run, and it will not before you press Run in the editor. Read it
        first, as you would read a program.
      </p>
      <div class="notice">
        <strong>When it runs, in workers of this tab, it can</strong>
        <ul>
          <li>
            read and change the files that you gave this site, and the results of workflows here
            {reach.files ? "; it names files" : "; it does not seem to name any file"}
          </li>
          <li>
            send requests to addresses on the network that allow it
            {reach.hosts.length > 0
              ? `; it names ${reach.hosts.join(", ")}`
              : reach.network
                ? ", and it seems to do so"
                : "; it does not seem to name any"}
          </li>
          <li>use the processor until you cancel it or close the tab</li>
        </ul>
        It can reach neither this app itself nor other sites' data, and nothing of this computer outside the
        browser.
      </div>
      {shared.task !== "" && (
        <p>
          It means to run <code>{shared.task}</code>
          {given.length > 0 && (
            <>
              {" "}
              with{" "}
              {given.map(([name, value], i) => (
                <span key={name}>
                  {i > 0 && ", "}
                  <code>
                    {name} = {value.length > 60 ? `${value.slice(0, 60)}…` : value}
                  </code>
                </span>
              ))}
            </>
          )}
          .
        </p>
      )}
      <div class="form-actions">
        <button type="button" class="button primary" onClick={open}>
          <Icon name="file" /> Open in the editor
        </button>
        <a class="button" href={address(["workflow"])}>
          Leave it
        </a>
      </div>
      {names.map((name) => (
        <section key={name} class="section">
          {names.length > 1 && <h2 class="mono">{name}</h2>}
          <div class="shared-code">
            <SourceEditor
              text={sources[name]!}
              label={name === ENTRY ? "Source of the shared workflow" : `Source of ${name}`}
              problem={undefined}
              readOnly
            />
          </div>
        </section>
      ))}
    </div>
  );
}
