/** What ran last on an instance, in all repositories that one may see. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { IndexedExecution } from "../../src/server/api-types.ts";
import { Loaded, Section, StatusBadge } from "../components/basics.tsx";
import { dateTime, duration, shortId } from "../lib/format.ts";
import type { Status } from "../state/execution.ts";
import { useResource } from "../state/resource.ts";
import { address, navigate } from "../state/router.ts";
import { ask } from "./connections.ts";

const PAGE = 25;
const INTERVAL = 5000;
const STATUSES = ["QUEUED", "RUNNING", "DONE", "FAILED", "CANCELLED"] as const;

/** The list, asked for again every few seconds. */
export function RecentExecutions({ id, query }: { id: string; query: URLSearchParams }): JSX.Element {
  const status = query.get("status") ?? "";
  const [limit, setLimit] = useState(PAGE);
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1);
    }, INTERVAL);
    return () => clearInterval(timer);
  }, []);
  const resource = useResource(
    `${status} ${limit} ${turn}`,
    () => ask(id, (client) => client.executions({ limit, ...(status === "" ? {} : { status }) })),
    { keep: true },
  );
  return (
    <Section
      title="Recent executions"
      actions={
        <label class="field-inline">
          <span>Status</span>
          <select
            value={status}
            onChange={(event) =>
              navigate(address(["instances", id], { status: event.currentTarget.value }), { replace: true })
            }
          >
            <option value="">Any</option>
            {STATUSES.map((name) => (
              <option key={name} value={name}>
                {name[0] + name.slice(1).toLowerCase()}
              </option>
            ))}
          </select>
        </label>
      }
    >
      <Loaded resource={resource}>
        {({ items, cursor }) =>
          items.length === 0 ? (
            <p class="muted">
              {status === ""
                ? "Nothing has been run on this instance yet. The page of a repository shows all that it holds."
                : "Nothing has run here with this status."}
            </p>
          ) : (
            <>
              <ExecutionTable id={id} items={items} />
              {cursor !== null && limit < 4 * PAGE && (
                <button type="button" class="button" onClick={() => setLimit(limit + PAGE)}>
                  Show more
                </button>
              )}
            </>
          )
        }
      </Loaded>
    </Section>
  );
}

function ExecutionTable({ id, items }: { id: string; items: readonly IndexedExecution[] }): JSX.Element {
  return (
    <div class="table-scroll">
      <table class="table recent">
        <thead>
          <tr>
            <th scope="col">Status</th>
            <th scope="col">Task</th>
            <th scope="col">Repository</th>
            <th scope="col">Asked for by</th>
            <th scope="col">When</th>
            <th scope="col" class="number">
              Took
            </th>
          </tr>
        </thead>
        <tbody>
          {items.map(({ repo, id: execution, task, user, status, created, ended }) => (
            <tr key={execution}>
              <td>
                <StatusBadge status={shownStatus(status)} />
              </td>
              <td>
                <a
                  class="mono"
                  href={address(["executions", execution], {}, { kind: "instance", instance: id, repo })}
                >
                  {task}
                </a>{" "}
                <span class="muted mono">{shortId(execution)}</span>
              </td>
              <td>{repo}</td>
              <td>{user}</td>
              <td class="nowrap">{dateTime(created)}</td>
              <td class="number">{ended === null ? "" : duration(ended - created)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const shownStatus = (status: string): Status => (status === "QUEUED" ? "PENDING" : (status as Status));
