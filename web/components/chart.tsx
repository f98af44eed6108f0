/** Numbers as lines. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { ChartData } from "../lib/value-kind.ts";
import { isDark } from "../state/theme.ts";

const HEIGHT = 280;
const COLOURS = 8;

/** The lines, drawn again when the colours or the width change. */
export function Chart({ data }: { data: ChartData }): JSX.Element {
  const host = useRef<HTMLDivElement>(null);
  const dark = isDark.value;
  useEffect(() => {
    const element = host.current!;
    const plot = new uPlot(
      optionsOf(data, element),
      [data.x as number[], ...data.series.map(({ values }) => values as number[])],
      element,
    );
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [data, dark]);
  return (
    <div
      class="chart"
      ref={host}
      role="img"
      aria-label={`Chart of ${data.series.map(({ name }) => name).join(", ")}`}
    />
  );
}

function optionsOf({ series }: ChartData, element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const axis: uPlot.Axis = {
    stroke: style.color,
    font: "12px system-ui",
    grid: { stroke: resolved(element, "var(--border)"), width: 1 },
    ticks: { stroke: resolved(element, "var(--border)"), width: 1 },
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [axis, axis],
    series: [
      { label: "at" },
      ...series.map(({ name }, i) => ({
        label: name,
        stroke: resolved(element, `var(--series-${(i % COLOURS) + 1})`),
        width: 1.5,
      })),
    ],
  };
}

/** A colour as a canvas takes it: `light-dark()` and variables mean nothing there. */
function resolved(element: HTMLElement, colour: string): string {
  const probe = document.createElement("span");
  probe.style.color = colour;
  element.append(probe);
  const text = getComputedStyle(probe).color;
  probe.remove();
  return text;
}
