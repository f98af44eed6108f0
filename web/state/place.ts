/** Where executions run and are kept: in this tab's repository, or in one of a hosted instance. */
import { isLoopback } from "../../src/util/loopback.ts";

/** The instance that this page was loaded from. */
export const HERE = "here";

/** Where one works. */
export type Place =
  | { readonly kind: "tab" }
  | {
      readonly kind: "instance";
      /** {@link HERE}, or the address of an instance elsewhere. */
      readonly instance: string;
      readonly repo: string;
    };

/** This tab. */
export const TAB: Place = { kind: "tab" };

/** The parts of an address that say where one works. */
export function placeParts(place: Place): readonly string[] {
  return place.kind === "tab" ? [] : ["at", place.instance, place.repo];
}

/** A text that is the same for the same place. */
export function placeKey(place: Place): string {
  return placeParts(place).join(" ");
}

/** An instance as an address names it. @returns nothing if it is none that can be asked */
export function instanceOf(text: string): string | undefined {
  if (text === HERE) return HERE;
  try {
    const { protocol, username, password, search, hash, href } = new URL(text);
    if (!/^https?:$/.test(protocol) || username !== "" || password !== "" || search !== "" || hash !== "")
      return undefined;
    const url = href.replace(/\/+$/, "");
    return url === hereUrl() ? HERE : url;
  } catch {
    return undefined;
  }
}

/** Where this page was loaded from, without a slash at the end. */
function hereUrl(): string {
  return new URL(".", location.href).href.replace(/\/+$/, "");
}

/** Where an instance's API is. */
export function urlOf(instance: string): string {
  return instance === HERE ? hereUrl() : instance;
}

/** Whether what is sent there can be read on its way: neither is it encrypted, nor does it stay on this machine. */
export function isOpen(instance: string): boolean {
  const { protocol, hostname } = new URL(urlOf(instance));
  return protocol === "http:" && !isLoopback(hostname);
}

/** An instance by what somebody typed, perhaps without `https://`, or `http://` where it is of this machine. */
export function typedInstance(text: string): string | undefined {
  if (/^https?:\/\//i.test(text)) return instanceOf(text);
  const [host = ""] = /^(\[[^\]]*\]|[^:/]*)/.exec(text) ?? [];
  return instanceOf(`${isLoopback(host) ? "http" : "https"}://${text}`);
}

/** An instance in short, as people know it: its host. */
export function hostOf(instance: string): string {
  const { host, pathname } = new URL(urlOf(instance));
  return host + pathname.replace(/\/+$/, "");
}
