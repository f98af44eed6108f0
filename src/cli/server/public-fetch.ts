import { type LookupAddress, lookup } from "node:dns";
import { type IncomingMessage, Agent as PlainAgent, request as requestPlain } from "node:http";
import { request as requestSecure, Agent as SecureAgent } from "node:https";
import { BlockList, isIP, type LookupFunction } from "node:net";
import { pipeline, Readable } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { guardedFetch, refusedAddress } from "../../server/guarded-fetch.ts";

/** Options of {@link publicFetch}. */
export interface PublicFetchOptions {
  /** Hosts that may be reached though their addresses are not public, by name or in numbers; `true` is all. */
  readonly privateHosts?: true | readonly string[] | undefined;
  /** Finds all addresses of a name. Default: as the system does. */
  readonly resolve?: ((host: string) => Promise<readonly LookupAddress[]>) | undefined;
}

/**
 * Addresses that lead to this machine, into its networks, or nowhere on the Internet.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const NOT_PUBLIC: Readonly<Record<"ipv4" | "ipv6", readonly string[]>> = {
  ipv4: [
    ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"],
    ...["192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15"],
    ...["198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ],
  // Some hold an IPv4 address, which a gateway may lead to.
  ipv6: [
    ...["::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"],
    ...["3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
  ],
};

const notPublic: BlockList = new BlockList();
for (const family of ["ipv4", "ipv6"] as const) {
  for (const subnet of NOT_PUBLIC[family]) {
    const [address, bits] = subnet.split("/");
    notPublic.addSubnet(address!, Number(bits), family);
  }
}

/** Whether an address is one of the Internet's. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  return family !== 0 && !notPublic.check(address, family === 4 ? "ipv4" : "ipv6");
}

/** Milliseconds without a byte after which a request is given up. */
const IDLE = 300_000;

const WHY = "has no public address, and the operator has not allowed it";

/**
 * A `fetch` for addresses that others give, so that none of them leads into the networks that this machine is in. What a
 * name means is looked at when it is connected to, so another answer later changes nothing.
 */
export function publicFetch({
  privateHosts = [],
  resolve,
}: PublicFetchOptions = {}): (url: string, init: RequestInit) => Promise<Response> {
  const isNamed = (host: string): boolean =>
    privateHosts === true || privateHosts.some((name) => bare(name.toLowerCase()) === host);
  const find = resolve ?? lookupAll;
  const pinned: LookupFunction = (host, { all }, callback) => {
    find(host).then(
      (addresses) => {
        const [first] = addresses;
        if (!isNamed(host) && !addresses.every(({ address }) => isPublicAddress(address)))
          callback(new TypeError(`the host ${host} ${WHY}`), []);
        else if (all) callback(null, [...addresses]);
        else callback(null, first!.address, first!.family);
      },
      (error) => callback(error as NodeJS.ErrnoException, []),
    );
  };
  const agents = {
    "http:": new PlainAgent({ keepAlive: true, lookup: pinned } as object),
    "https:": new SecureAgent({ keepAlive: true, lookup: pinned } as object),
  };
  return guardedFetch(async (url, init) => {
    const agent = agents[url.protocol as keyof typeof agents];
    if (agent === undefined) throw refusedAddress(url, "is not of the Web");
    const host = bare(url.hostname);
    // Nothing is looked up for an address in numbers.
    if (isIP(host) !== 0 && !isPublicAddress(host) && !isNamed(host)) throw refusedAddress(url, WHY);
    return responseOf(await send(url, init, agent), init.method);
  });
}

/** A host as it is in a URL, without the brackets of IPv6. */
const bare = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

const lookupAll = (host: string): Promise<LookupAddress[]> =>
  new Promise((resolve, reject) => {
    lookup(host, { all: true }, (error, addresses) => (error === null ? resolve(addresses) : reject(error)));
  });

function send(url: URL, init: RequestInit, agent: PlainAgent): Promise<IncomingMessage> {
  const { method = "GET", headers, signal } = init;
  const request = url.protocol === "https:" ? requestSecure : requestPlain;
  return new Promise((resolve, reject) => {
    const sent = request(url, {
      method,
      headers: Object.fromEntries(new Headers(headers)),
      agent,
      ...(signal == null ? {} : { signal }),
    });
    sent.setTimeout(IDLE, () => sent.destroy(new Error("nothing came for five minutes")));
    let isAnswered = false;
    sent.on("response", (message) => {
      isAnswered = true;
      resolve(message);
    });
    sent.on("error", (error: NodeJS.ErrnoException) => {
      // The server may end a connection just when it is used again.
      const isStale = sent.reusedSocket && !isAnswered && error.code === "ECONNRESET";
      if (isStale) resolve(send(url, init, agent));
      else reject(error);
    });
    sent.end();
  });
}

const DECODERS = { gzip: createGunzip, deflate: createInflate, br: createBrotliDecompress } as const;

function responseOf(message: IncomingMessage, method = "GET"): Response {
  const { statusCode: status = 0, statusMessage: statusText = "" } = message;
  const headers = new Headers();
  for (const [name, values = []] of Object.entries(message.headersDistinct))
    for (const value of values) headers.append(name, value);
  const isEmpty = method === "HEAD" || status === 204 || status === 205 || status === 304;
  if (isEmpty) message.resume();
  // Some servers send what they keep compressed as it is, asked or not.
  const decoder = DECODERS[headers.get("content-encoding") as keyof typeof DECODERS]?.();
  const body = decoder === undefined || isEmpty ? message : pipeline(message, decoder, () => {});
  return new Response(isEmpty ? null : (Readable.toWeb(body) as ReadableStream<Uint8Array<ArrayBuffer>>), {
    ...{ status, statusText, headers },
  });
}
