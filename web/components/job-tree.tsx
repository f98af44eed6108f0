/** The jobs of an execution as a tree that is walked with the arrow keys. */
import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { duration } from "../lib/format.ts";
import type { Execution, Job, Status } from "../state/execution.ts";
import { loadCallTexts } from "../state/stored.ts";
import { StatusMark } from "./basics.tsx";
import { Icon } from "./icons.tsx";
import { useVirtualRows } from "./virtual-rows.tsx";

const ROW_HEIGHT = 26;
/** Deeper jobs are not indented further, so that a long recursion stays readable. */
const DEEPEST = 24;

interface Row {
  readonly job: Job;
  readonly depth: number;
  readonly position: number;
  readonly siblings: number;
  /** Shown without its children. */
  readonly isLeaf?: boolean;
}

/** The tree. */
export function JobTree({
  execution,
  filter,
  selectedId,
  onSelect,
}: {
  execution: Execution;
  filter: JobFilter;
  selectedId: string | undefined;
  onSelect: (jobId: string) => void;
}): JSX.Element {
  const version = execution.changes.value;
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const [activeId, setActiveId] = useState<string | undefined>(selectedId);
  const rows = useMemo(
    () => (isFilter(filter) ? matchingRows(execution.jobs, filter) : visibleRows(execution.roots, closed)),
    [execution, version, closed, filter],
  );
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualRows(scroller, rows.length, ROW_HEIGHT);
  const visible = virtual.items.map(({ index }) => rows[index]!.job.id);
  const visibleKey = visible.join();
  useEffect(() => {
    void loadCallTexts(execution, visible).catch(() => {});
  }, [execution, visibleKey]);

  const activeIndex = Math.max(
    0,
    rows.findIndex(({ job }) => job.id === (activeId ?? selectedId)),
  );
  const isActiveInSight = virtual.items.some(({ index }) => index === activeIndex);
  useEffect(() => {
    // An address may name a job far down.
    if (selectedId !== undefined) virtual.scrollTo(activeIndex);
  }, [selectedId]);
  const toggle = (id: string, open: boolean): void => {
    const next = new Set(closed);
    if (open) next.delete(id);
    else next.add(id);
    setClosed(next);
  };
  const moveTo = (index: number): void => {
    const row = rows[Math.min(Math.max(index, 0), rows.length - 1)];
    if (row === undefined) return;
    setActiveId(row.job.id);
    virtual.scrollTo(rows.indexOf(row));
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const row = rows[activeIndex];
    if (row === undefined) return;
    const action = keyAction(event.key, row, !closed.has(row.job.id));
    if (action === undefined) return;
    event.preventDefault();
    if (action.type === "move") moveTo(activeIndex + action.by);
    else if (action.type === "first") moveTo(0);
    else if (action.type === "last") moveTo(rows.length - 1);
    else if (action.type === "parent") moveTo(rows.findIndex(({ job }) => job.id === row.job.parentId));
    else if (action.type === "toggle") toggle(row.job.id, action.open);
    else onSelect(row.job.id);
  };

  return (
    <div
      ref={scroller}
      class="virtual tree"
      role="tree"
      tabIndex={0}
      aria-label="Jobs"
      aria-activedescendant={isActiveInSight ? rowId(rows[activeIndex]!.job) : undefined}
      onKeyDown={onKeyDown}
    >
      <div class="virtual-space" role="none" style={{ height: `${virtual.height}px` }}>
        {virtual.items.map(({ index, start }) => {
          const row = rows[index]!;
          return (
            <TreeRow
              key={row.job.id}
              row={row}
              start={start}
              isOpen={!closed.has(row.job.id)}
              isSelected={row.job.id === selectedId}
              isActive={index === activeIndex}
              onToggle={(open) => toggle(row.job.id, open)}
              onSelect={() => {
                setActiveId(row.job.id);
                onSelect(row.job.id);
              }}
            />
          );
        })}
      </div>
    </div>
  );
}

type Action =
  | { readonly type: "move"; readonly by: number }
  | { readonly type: "toggle"; readonly open: boolean }
  | { readonly type: "first" | "last" | "parent" | "select" };

/** What a key does, as trees do everywhere. */
function keyAction(key: string, { job, depth, isLeaf }: Row, isOpen: boolean): Action | undefined {
  const hasChildren = !isLeaf && job.children.length > 0;
  switch (key) {
    case "ArrowDown":
      return { type: "move", by: 1 };
    case "ArrowUp":
      return { type: "move", by: -1 };
    case "PageDown":
      return { type: "move", by: 20 };
    case "PageUp":
      return { type: "move", by: -20 };
    case "ArrowRight":
      if (!hasChildren) return undefined;
      return isOpen ? { type: "move", by: 1 } : { type: "toggle", open: true };
    case "ArrowLeft":
      if (hasChildren && isOpen) return { type: "toggle", open: false };
      return depth > 0 ? { type: "parent" } : undefined;
    case "Home":
      return { type: "first" };
    case "End":
      return { type: "last" };
    case "Enter":
    case " ":
      return { type: "select" };
    default:
      return undefined;
  }
}

const rowId = (job: Job): string => `job-${job.id}`;

function TreeRow({
  row: { job, depth, position, siblings, isLeaf },
  start,
  isOpen,
  isSelected,
  isActive,
  onToggle,
  onSelect,
}: {
  row: Row;
  start: number;
  isOpen: boolean;
  isSelected: boolean;
  isActive: boolean;
  onToggle: (open: boolean) => void;
  onSelect: () => void;
}): JSX.Element {
  const hasChildren = !isLeaf && job.children.length > 0;
  const { startTime, endTime, task, call } = job;
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys
    <div
      id={rowId(job)}
      class={`virtual-row tree-row ${isActive ? "active" : ""}`}
      role="treeitem"
      tabIndex={-1}
      aria-level={depth + 1}
      aria-posinset={position}
      aria-setsize={siblings}
      aria-selected={isSelected}
      aria-expanded={hasChildren ? isOpen : undefined}
      style={{ height: `${ROW_HEIGHT}px`, transform: `translateY(${start}px)` }}
      onClick={onSelect}
    >
      <span class="tree-indent" style={{ width: `${Math.min(depth, DEEPEST) * 16}px` }} />
      {hasChildren ? (
        // biome-ignore lint/a11y/useKeyWithClickEvents: the tree takes the keys
        // biome-ignore lint/a11y/noStaticElementInteractions: the row is what has the role
        <span
          class={`tree-toggle ${isOpen ? "open" : ""}`}
          onClick={(event) => {
            event.stopPropagation();
            onToggle(!isOpen);
          }}
        >
          <Icon name="chevron" />
        </span>
      ) : (
        <span class="tree-toggle" />
      )}
      <StatusMark status={job.status} />
      <span class="tree-call">
        <span class="tree-task">{task}</span>
        <span class="muted">{call?.startsWith(task) ? call.slice(task.length) : ""}</span>
      </span>
      <span class="tree-time">
        {job.status === "CACHED"
          ? "cached"
          : startTime !== undefined && endTime !== undefined
            ? duration(endTime - startTime)
            : ""}
      </span>
    </div>
  );
}

/** Which jobs are shown. With any of these set, they are a list and no tree. */
export interface JobFilter {
  /** In the call's text. */
  readonly text: string;
  readonly status: Status | "";
}

const isFilter = ({ text, status }: JobFilter): boolean => text !== "" || status !== "";

function matchingRows(jobs: ReadonlyMap<string, Job>, { text, status }: JobFilter): Row[] {
  const wanted = text.toLowerCase();
  const found = [...jobs.values()].filter(
    (job) =>
      (status === "" || job.status === status) && (job.call ?? job.task).toLowerCase().includes(wanted),
  );
  return found.map((job, i) => ({ job, depth: 0, position: i + 1, siblings: found.length, isLeaf: true }));
}

/** Rows of all open jobs, parents before their children. The tree may be deeper than the call stack. */
function visibleRows(roots: readonly Job[], closed: ReadonlySet<string>): Row[] {
  const rows: Row[] = [];
  const stack: Row[] = [];
  const push = (jobs: readonly Job[], depth: number): void => {
    for (let i = jobs.length - 1; i >= 0; i--)
      stack.push({ job: jobs[i]!, depth, position: i + 1, siblings: jobs.length });
  };
  push(roots, 0);
  for (let row = stack.pop(); row !== undefined; row = stack.pop()) {
    rows.push(row);
    if (!closed.has(row.job.id)) push(row.job.children, row.depth + 1);
  }
  return rows;
}
