/**
 * Hosts that may be reached: all of them, or those of a list, where `*.example.org` stands for its subdomains at any
 * depth but not for itself.
 */
export type HostList = true | readonly string[];

/** Ends of names that never lead out of a private network. */
const PRIVATE = ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "home.arpa"];

/**
 * Whether every list allows a request to go to an address. Addresses in numbers and names of private networks are never
 * allowed, nor any other protocol than http and https.
 */
export function mayReach(url: URL, lists: readonly HostList[]): boolean {
  if (url.protocol !== "http:" && url.protocol !== "https:") return false;
  const host = url.hostname.toLowerCase().replace(/\.$/, "");
  if (!isPublicName(host)) return false;
  return lists.every((list) => list === true || list.some((pattern) => matches(host, pattern)));
}

/** Whether a list names any host. */
export function asksForHosts(list: HostList | false | undefined): list is HostList {
  return list === true || (Array.isArray(list) && list.length > 0);
}

function matches(host: string, pattern: string): boolean {
  const wanted = pattern.toLowerCase();
  return wanted.startsWith("*.")
    ? host.endsWith(wanted.slice(1)) && host !== wanted.slice(2)
    : host === wanted;
}

function isPublicName(host: string): boolean {
  // A URL gives IPv6 addresses in brackets, and IPv4 addresses, however they were written, in four numbers.
  if (host.startsWith("[") || /^[\d.]+$/.test(host) || !host.includes(".")) return false;
  return !PRIVATE.some((end) => host.endsWith(`.${end}`));
}
