/** Icons of 16 pixels, drawn with the text's colour. */
import type { JSX } from "preact";

const PATHS = {
  play: "M4.5 2.8v10.4L13 8z",
  stop: "M4 4h8v8H4z",
  chevron: "M6 3.5 10.5 8 6 12.5",
  sun: "M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M12.6 3.4l-1.1 1.1M4.5 11.5l-1.1 1.1M10.8 8a2.8 2.8 0 1 1-5.6 0 2.8 2.8 0 0 1 5.6 0z",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8z",
  system: "M2 3h12v8H2zM5.5 13.5h5M8 11v2.5",
  share:
    "M6.5 9.5 9.5 6.5M7 4.5l1.6-1.6a2.9 2.9 0 0 1 4.1 4.1L11.2 8.6M8.9 11.5l-1.6 1.6a2.9 2.9 0 0 1-4.1-4.1l1.6-1.6",
  reset: "M3 8a5 5 0 1 0 1.6-3.7M3 2.5v3h3",
  download: "M8 2.5v7.5M4.8 7 8 10.2 11.2 7M3 13.5h10",
  upload: "M8 10.5V3M4.8 6.2 8 3l3.2 3.2M3 13.5h10",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 8.5h5.8l.6-8.5",
  server: "M2.5 2.5h11v4.5h-11zM2.5 9h11v4.5h-11zM5 4.75h.01M5 11.25h.01",
  folder: "M2 3.5h4l1.5 2H14V13H2z",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
} as const;

const FILLED: ReadonlySet<string> = new Set(["play", "stop"]);

/** Name of an icon. */
export type IconName = keyof typeof PATHS;

/** An icon. It says nothing to a screen reader; what it is on has to. */
export function Icon({ name, class: className }: { name: IconName; class?: string }): JSX.Element {
  return (
    <svg
      class={`icon ${FILLED.has(name) ? "filled" : ""} ${className ?? ""}`}
      viewBox="0 0 16 16"
      aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
