/** Workflows as links: the whole of it is in the address, so no server has to keep it. */

import { otherFiles, type Sources } from "./sources.ts";

/** What a link carries. */
export interface SharedWorkflow {
  /** Text of the main file. */
  readonly source: string;
  /** Texts of other files by path. */
  readonly files?: Sources;
  /** Fullname of the task to run. */
  readonly task: string;
  /** What its fields hold, by parameter name. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Longer sources make addresses that some programs cut. */
export const LONGEST_LINK = 32_000;

/** No honest link is as large when it is unpacked. */
const MOST_BYTES = 2_000_000;

/** Packs a workflow as text that may stand in an address. */
export async function packWorkflow(workflow: SharedWorkflow): Promise<string> {
  const { source, files = {}, task, texts } = workflow;
  const isOne = Object.keys(files).length === 0;
  const json = JSON.stringify({
    v: isOne ? 1 : 2,
    s: source,
    t: task,
    a: texts,
    ...(isOne ? {} : { f: files }),
  });
  const packed = new Blob([json]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  return toBase64Url(new Uint8Array(await new Response(packed).arrayBuffer()));
}

/** Unpacks what a link carries. It comes from anybody, so its form is checked. @throws if it is not whole */
export async function unpackWorkflow(text: string): Promise<SharedWorkflow> {
  const stream = new Blob([fromBase64Url(text)]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const data: unknown = JSON.parse(await textOf(stream, MOST_BYTES));
  const { v, s, t, a, f } = (data ?? {}) as Record<string, unknown>;
  const isKnown = v === 1 || v === 2;
  if (!isKnown || typeof s !== "string" || typeof t !== "string" || typeof a !== "object" || a === null)
    throw new Error("The link is from another version of the app.");
  const texts = Object.entries(a).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  const shared = { source: s, task: t, texts: Object.fromEntries(texts) };
  return v === 1 ? shared : { ...shared, files: otherFiles(f) };
}

async function textOf(stream: ReadableStream<Uint8Array>, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let [text, size] = ["", 0];
  for await (const chunk of stream) {
    size += chunk.length;
    if (size > most) throw new Error("The link holds too much.");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function toBase64Url(bytes: Uint8Array): string {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

function fromBase64Url(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (char) => char.charCodeAt(0));
}

/** What a source seems to reach for. It is a hint for people: code can hide what it does. */
export interface Reach {
  /** Whether it asks for anything on the network by name. */
  readonly hosts: readonly string[];
  readonly network: boolean;
  readonly files: boolean;
}

/** Looks for what a source reaches for. */
export function reachOf(source: string): Reach {
  const hosts = new Set<string>();
  for (const [address] of source.matchAll(/\b(?:https?|wss?):\/\/[^\s"'`<>)\\]+/g)) {
    if (URL.canParse(address)) hosts.add(new URL(address).host);
  }
  const network =
    hosts.size > 0 || /\b(?:fetch|XMLHttpRequest|WebSocket|EventSource|import)\s*\(/.test(source);
  const files = /\b(?:File|Dir|FileSet)\b/.test(source);
  return { hosts: [...hosts].sort(), network, files };
}
