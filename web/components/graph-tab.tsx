/** The call graph as a drawing. */
import { Graph as LayoutGraph, layout } from "@dagrejs/dagre";
import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import type { Execution } from "../state/execution.ts";
import { type Graph, type GraphNode, graphOf, MOST_JOBS } from "../state/graph.ts";
import { useResource } from "../state/resource.ts";
import { address } from "../state/router.ts";
import { loadCallTexts } from "../state/stored.ts";
import { Loaded } from "./basics.tsx";

const WIDTH = 190;
const HEIGHT = 44;
const MARGIN = 16;
/** Characters that fit into a node. */
const TITLE = 24;
const SUBTITLE = 26;

/** The graph so far; while jobs run it is drawn again when a fifth more are there. */
export function GraphTab({ execution }: { execution: Execution }): JSX.Element {
  execution.follow();
  const step = Math.round(Math.log(Math.max(1, execution.jobs.size)) / Math.log(1.2));
  const resource = useResource(
    `${execution.id} ${execution.status} ${step}`,
    async () => {
      const ids = [...execution.jobs.keys()];
      if (ids.length <= MOST_JOBS) await loadCallTexts(execution, ids);
      return graphOf(execution);
    },
    { keep: true },
  );
  return (
    <Loaded resource={resource}>{(graph) => <Drawing graph={graph} executionId={execution.id} />}</Loaded>
  );
}

interface Placed {
  readonly nodes: readonly { readonly node: GraphNode; readonly x: number; readonly y: number }[];
  readonly edges: readonly { readonly path: string; readonly kind: string; readonly key: string }[];
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

function Drawing({ graph, executionId }: { graph: Graph; executionId: string }): JSX.Element {
  const [isFitted, setFitted] = useState(false);
  const placed = useMemo(() => place(graph), [graph]);
  const size = isFitted ? {} : { width: placed.width, height: placed.height };
  return (
    <div class="graph">
      <div class="toolbar">
        <span class="hint">
          {graph.isByTask ? "There are many jobs, so each box is a task. " : ""}
          <span class="legend legend-call">calls</span>{" "}
          <span class="legend legend-data">gives a value to</span>
        </span>
        <span class="spacer" />
        <label class="check">
          <input
            type="checkbox"
            checked={isFitted}
            onChange={(event) => setFitted(event.currentTarget.checked)}
          />
          Fit to the page
        </label>
      </div>
      <div
        class={`graph-scroll ${isFitted ? "fitted" : ""}`}
        tabIndex={0}
        role="region"
        aria-label="Call graph"
      >
        <svg
          viewBox={`${placed.left} ${placed.top} ${placed.width} ${placed.height}`}
          {...size}
          aria-label="Call graph"
          role="group"
        >
          <defs>
            {["call", "data"].map((kind) => (
              <marker
                key={kind}
                id={`arrow-${kind}`}
                class={`arrow-${kind}`}
                viewBox="0 0 8 8"
                refX="7"
                refY="4"
                markerWidth="7"
                markerHeight="7"
                orient="auto"
              >
                <path d="M0 0.5 8 4 0 7.5z" />
              </marker>
            ))}
          </defs>
          {placed.edges.map(({ path, kind, key }) => (
            <path key={key} class={`edge edge-${kind}`} d={path} marker-end={`url(#arrow-${kind})`} />
          ))}
          {placed.nodes.map(({ node, x, y }) => (
            <a
              key={node.id}
              href={address(["executions", executionId, "jobs"], { job: node.jobId })}
              class={`node status-${node.status.toLowerCase()}`}
            >
              <rect x={x} y={y} width={WIDTH} height={HEIGHT} rx="5" />
              <rect class="node-mark" x={x} y={y} width="4" height={HEIGHT} rx="2" />
              <text x={x + 12} y={y + 18}>
                {shorten(node.title, TITLE)}
              </text>
              <text class="node-subtitle" x={x + 12} y={y + 34}>
                {shorten(node.subtitle, SUBTITLE)}
              </text>
              <title>{`${node.title}${node.subtitle}`}</title>
            </a>
          ))}
        </svg>
      </div>
    </div>
  );
}

const shorten = (text: string, most: number): string =>
  text.length > most ? `${text.slice(0, most - 1)}…` : text;

function place({ nodes, edges }: Graph): Placed {
  const graph = new LayoutGraph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 14, ranksep: 56, marginx: MARGIN, marginy: MARGIN });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id } of nodes) graph.setNode(id, { width: WIDTH, height: HEIGHT });
  for (const { from, to, kind } of edges) graph.setEdge(from, to, { weight: kind === "call" ? 2 : 1 }, kind);
  layout(graph);
  // The layout does not count the bends of edges as part of the drawing.
  const bends = edges.flatMap(({ from, to, kind }) => graph.edge(from, to, kind).points ?? []);
  const { width = 0, height = 0 } = graph.graph();
  const left = bends.reduce((least, { x }) => Math.min(least, x - MARGIN), 0);
  const top = bends.reduce((least, { y }) => Math.min(least, y - MARGIN), 0);
  const right = bends.reduce((most, { x }) => Math.max(most, x + MARGIN), Math.max(width, WIDTH));
  const bottom = bends.reduce((most, { y }) => Math.max(most, y + MARGIN), Math.max(height, HEIGHT));
  return {
    left,
    top,
    width: right - left,
    height: bottom - top,
    nodes: nodes.map((node) => {
      const { x, y } = graph.node(node.id);
      return { node, x: x - WIDTH / 2, y: y - HEIGHT / 2 };
    }),
    edges: edges.map(({ from, to, kind }) => {
      const { points } = graph.edge(from, to, kind);
      return { path: curve(points ?? []), kind, key: `${from} ${to} ${kind}` };
    }),
  };
}

/** A smooth line through the middles between points. */
function curve(points: readonly { x: number; y: number }[]): string {
  const [first, ...rest] = points;
  const last = rest.pop();
  if (first === undefined || last === undefined) return "";
  let path = `M${first.x} ${first.y}`;
  rest.forEach((point, i) => {
    const next = rest[i + 1] ?? last;
    const [x, y] =
      i === rest.length - 1 ? [last.x, last.y] : [(point.x + next.x) / 2, (point.y + next.y) / 2];
    path += `Q${point.x} ${point.y} ${x} ${y}`;
  });
  return rest.length === 0 ? `${path}L${last.x} ${last.y}` : path;
}
