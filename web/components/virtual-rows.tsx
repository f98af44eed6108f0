/** Long lists: only the rows in sight are on the page. */
import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { ComponentChildren, JSX, RefObject } from "preact";
import { useEffect, useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";

/** A list's rows in sight. */
export interface VirtualRows {
  readonly items: readonly { readonly index: number; readonly start: number }[];
  readonly height: number;
  scrollTo(index: number): void;
}

/** Follows which rows of a scrolled element are in sight. All rows have the same height, in pixels. */
export function useVirtualRows(
  scroller: RefObject<HTMLElement | null>,
  count: number,
  rowHeight: number,
): VirtualRows {
  const [, update] = useReducer((n: number) => n + 1, 0);
  const options: VirtualizerOptions<HTMLElement, Element> = {
    count,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 12,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => update(undefined),
  };
  const [virtualizer] = useState(() => new Virtualizer<HTMLElement, Element>(options));
  virtualizer.setOptions(options);
  useEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => virtualizer._willUpdate());
  return {
    items: virtualizer.getVirtualItems(),
    height: virtualizer.getTotalSize(),
    scrollTo: (index) => virtualizer.scrollToIndex(index, { align: "auto" }),
  };
}

/** A list of rows that are no more than shown. */
export function VirtualList({
  count,
  rowHeight,
  label,
  class: className = "",
  follow = false,
  children,
}: {
  count: number;
  rowHeight: number;
  label: string;
  class?: string;
  /** Whether the end stays in sight as rows are added. */
  follow?: boolean;
  children: (index: number) => ComponentChildren;
}): JSX.Element {
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualRows(scroller, count, rowHeight);
  const isAtEnd = useRef(true);
  useLayoutEffect(() => {
    const element = scroller.current;
    if (follow && element !== null && isAtEnd.current) element.scrollTop = element.scrollHeight;
  }, [follow, count]);
  return (
    <div
      ref={scroller}
      class={`virtual ${className}`}
      tabIndex={0}
      role="region"
      aria-label={label}
      onScroll={({ currentTarget: { scrollTop, clientHeight, scrollHeight } }) => {
        isAtEnd.current = scrollTop + clientHeight >= scrollHeight - rowHeight;
      }}
    >
      <div class="virtual-space" style={{ height: `${rows.height}px` }}>
        {rows.items.map(({ index, start }) => (
          <div
            key={index}
            class="virtual-row"
            style={{ height: `${rowHeight}px`, transform: `translateY(${start}px)` }}
          >
            {children(index)}
          </div>
        ))}
      </div>
    </div>
  );
}
