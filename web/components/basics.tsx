/** Small things that all views are made of. */
import type { ComponentChildren, JSX } from "preact";
import { hasCode } from "../../src/errors/redun-error.ts";
import { errorText } from "../lib/errors.ts";
import type { Status } from "../state/execution.ts";
import type { Resource } from "../state/resource.ts";

const STATUS_TEXT: Readonly<Record<Status, string>> = {
  PENDING: "Pending",
  RUNNING: "Running",
  DONE: "Done",
  CACHED: "Cached",
  FAILED: "Failed",
  CANCELLED: "Cancelled",
  INTERRUPTED: "Interrupted",
  DRYRUN: "Dry run",
};

/** A status in words, with a mark in its colour. */
export function StatusBadge({ status }: { status: Status }): JSX.Element {
  return (
    <span class={`status status-${status.toLowerCase()}`}>
      <span class="mark" aria-hidden="true" />
      {STATUS_TEXT[status]}
    </span>
  );
}

/** The mark alone, for dense lists. */
export function StatusMark({ status }: { status: Status }): JSX.Element {
  return (
    <span class={`status status-${status.toLowerCase()}`}>
      <span class="mark" aria-hidden="true" />
      <span class="visually-hidden">{STATUS_TEXT[status]}</span>
    </span>
  );
}

/** Says what failed. */
export function ErrorNotice({ error, title }: { error: unknown; title?: string }): JSX.Element {
  return (
    <div class="notice notice-error" role="alert">
      {title !== undefined && <strong>{title}</strong>}
      <pre>{errorText(error)}</pre>
    </div>
  );
}

/** In the place of what could not be fetched. That an instance does not answer, and why, is told above all of its views. */
export function Failure({ error }: { error: unknown }): JSX.Element {
  if (!hasCode(error, "unreachable")) return <ErrorNotice error={error} />;
  return (
    <p class="loading" role="status">
      Waiting for the instance to answer…
    </p>
  );
}

/** Says that there is nothing, and what to do about it. */
export function Empty({ children }: { children: ComponentChildren }): JSX.Element {
  return <div class="empty">{children}</div>;
}

/** Shows what was fetched, or how far that is. */
export function Loaded<T>({
  resource,
  children,
}: {
  resource: Resource<T>;
  children: (value: T) => ComponentChildren;
}): JSX.Element {
  if (resource.phase === "failed") return <Failure error={resource.error} />;
  if (resource.phase === "loading")
    return (
      <p class="loading" role="status">
        Loading…
      </p>
    );
  return <>{children(resource.value)}</>;
}

/** A term and what it is, in a list of such. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** A part of a view with a heading. */
export function Section({
  title,
  actions,
  children,
}: {
  title: string;
  actions?: ComponentChildren;
  children: ComponentChildren;
}): JSX.Element {
  return (
    <section class="section">
      <div class="section-head">
        <h2>{title}</h2>
        {actions}
      </div>
      {children}
    </section>
  );
}
