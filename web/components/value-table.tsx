/** Tables of many rows. */
import type { JSX } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { display } from "../../src/value/display.ts";
import { plural } from "../lib/format.ts";
import type { TableData } from "../lib/value-kind.ts";
import { useVirtualRows } from "./virtual-rows.tsx";

const ROW_HEIGHT = 26;

interface Order {
  readonly column: number;
  readonly isDescending: boolean;
}

/** A table that is sorted by a click on a column's head. */
export function ValueTable({ table: { columns, rows } }: { table: TableData }): JSX.Element {
  const [order, setOrder] = useState<Order | undefined>(undefined);
  const sorted = useMemo(() => (order === undefined ? rows : sortRows(rows, order)), [rows, order]);
  const isNumeric = useMemo(
    () => columns.map((_, i) => rows.every((row) => row[i] === undefined || isNumberLike(row[i]))),
    [columns, rows],
  );
  const widths = useMemo(() => columnWidths(columns, rows), [columns, rows]);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useVirtualRows(scroller, sorted.length, ROW_HEIGHT);
  const template = { gridTemplateColumns: `${String(rows.length).length + 3}ch ${widths.join(" ")}` };
  const sort = (column: number): void =>
    setOrder(
      order?.column !== column
        ? { column, isDescending: false }
        : order.isDescending
          ? undefined
          : { column, isDescending: true },
    );
  return (
    <>
      <div
        ref={scroller}
        class="virtual data-table"
        role="table"
        tabIndex={0}
        aria-label="Values"
        aria-rowcount={rows.length + 1}
        aria-colcount={columns.length + 1}
        style={{ maxHeight: "26rem" }}
      >
        <div role="none" class="data-body">
          <div role="rowgroup" class="data-head">
            <div role="row" class="data-row" style={template} aria-rowindex={1}>
              <span role="columnheader" class="row-number">
                <span class="visually-hidden">Row</span>
              </span>
              {columns.map((name, i) => (
                <span
                  key={name}
                  role="columnheader"
                  class={isNumeric[i] ? "number" : ""}
                  aria-sort={order?.column !== i ? "none" : order.isDescending ? "descending" : "ascending"}
                >
                  <button type="button" onClick={() => sort(i)}>
                    {name}
                    {order?.column === i ? (order.isDescending ? " ↓" : " ↑") : ""}
                  </button>
                </span>
              ))}
            </div>
          </div>
          <div class="virtual-space" role="rowgroup" style={{ height: `${virtual.height}px` }}>
            {virtual.items.map(({ index, start }) => (
              <div
                key={index}
                role="row"
                class="virtual-row data-row"
                aria-rowindex={index + 2}
                style={{ ...template, height: `${ROW_HEIGHT}px`, transform: `translateY(${start}px)` }}
              >
                <span role="rowheader" class="row-number">
                  {index + 1}
                </span>
                {columns.map((name, i) => {
                  const text = cellText(sorted[index]![i]);
                  return (
                    <span
                      key={name}
                      role="cell"
                      class={isNumeric[i] ? "number" : ""}
                      title={text.length > 20 ? text : undefined}
                    >
                      {text}
                    </span>
                  );
                })}
              </div>
            ))}
          </div>
        </div>
      </div>
      <p class="hint">
        {plural(rows.length, "row")}, {plural(columns.length, "column")}
      </p>
    </>
  );
}

/** A cell's text: strings stand for themselves, and what is missing for nothing. */
function cellText(value: unknown): string {
  if (typeof value === "string") return value;
  return value === undefined || value === null ? "" : display(value, 300);
}

const isNumberLike = (value: unknown): boolean =>
  typeof value === "number" || typeof value === "bigint" || value === null;

/** By the longest of the first texts, in characters. */
function columnWidths(columns: readonly string[], rows: TableData["rows"]): string[] {
  return columns.map((name, i) => {
    const longest = rows
      .slice(0, 200)
      .reduce((most, row) => Math.max(most, cellText(row[i]).length), name.length + 2);
    return `minmax(${Math.min(longest, 40) + 2}ch, 1fr)`;
  });
}

function sortRows(rows: TableData["rows"], { column, isDescending }: Order): TableData["rows"] {
  const compare = (a: unknown, b: unknown): number => {
    if (isNumberLike(a) && isNumberLike(b))
      return Number(a ?? Number.NEGATIVE_INFINITY) - Number(b ?? Number.NEGATIVE_INFINITY);
    return cellText(a).localeCompare(cellText(b), undefined, { numeric: true });
  };
  const sorted = [...rows].sort((a, b) => compare(a[column], b[column]));
  return isDescending ? sorted.reverse() : sorted;
}
