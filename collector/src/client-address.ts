/**
 * Takes the address of a connection and the headers that proxies add, gives the address of the client.
 * Keeps: a header counts only as far as it was written by a proxy of the config: it is read from its end, and the first address that
 * is not such a proxy's is the client's. What a client writes itself stands before that and is never looked at.
 * Source: RFC 7239 (Forwarded), sections 4 and 6; MDN, X-Forwarded-For, "Selecting an IP address".
 */
import { BlockList, isIP } from 'node:net';
import type { HttpConfig } from './http-config.ts';

type ProxyConfig = Pick<HttpConfig, 'trusted_proxies' | 'forwarded_header'>;

export interface ClientAddresses {
  /** Address of the client of a request. */
  of(peer: string, headers: Headers): string;
  /** Whether the address is a proxy of the config. */
  isProxy(address: string): boolean;
  /** This config is in force from now on. */
  use(config: ProxyConfig): void;
}

/** Proxies behind each other; what is more is no chain of anybody's. */
const HOPS_MAX = 16;

/** Makes it. */
export function createClientAddresses(config: ProxyConfig): ClientAddresses {
  let proxies = listOf(config.trusted_proxies);
  let header = config.forwarded_header;
  const isProxy = (address: string): boolean => {
    const plain = unmapped(address);
    const family = isIP(plain);
    return family !== 0 && proxies.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  };
  return {
    isProxy,
    of(peer, headers) {
      let client = unmapped(peer);
      if (!isProxy(client)) return client;
      const hops = hopsOf(headers.get(header) ?? '', header).slice(-HOPS_MAX);
      for (const hop of hops.reverse()) {
        if (isIP(hop) === 0) return client;
        client = unmapped(hop);
        if (!isProxy(client)) return client;
      }
      return client;
    },
    use(changed) {
      proxies = listOf(changed.trusted_proxies);
      header = changed.forwarded_header;
    },
  };
}

/** `10.0.0.0/8`, `2001:db8::/32` or one address: its parts, or undefined if it is none of them. */
export function parseNetwork(
  text: string,
):
  | { readonly address: string; readonly bits: number; readonly family: 'ipv4' | 'ipv6' }
  | undefined {
  const [address = '', length, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return undefined;
  const bitsMax = family === 4 ? 32 : 128;
  const bits = length === undefined ? bitsMax : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  if (bits < 0 || bits > bitsMax) return undefined;
  return { address, bits, family: family === 4 ? 'ipv4' : 'ipv6' };
}

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const network = parseNetwork(text);
    if (network !== undefined) list.addSubnet(network.address, network.bits, network.family);
  }
  return list;
}

/** The addresses of a header, in its order: the client first, the last proxy's peer last. */
function hopsOf(value: string, header: ProxyConfig['forwarded_header']): string[] {
  const elements = value.split(',').map((one) => one.trim());
  if (header === 'x-forwarded-for') return elements.map(bare);
  return elements.map((element) => {
    const pair = /(?:^|;)\s*for=("[^"]*"|[^;\s]*)/i.exec(element)?.[1] ?? '';
    return bare(pair.replaceAll('"', ''));
  });
}

/** Without brackets and port: `[2001:db8::1]:4711`, `192.0.2.1:4711`. */
function bare(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1];
  if (bracketed !== undefined) return bracketed;
  return text.split(':').length === 2 ? (text.split(':')[0] ?? '') : text;
}

/** An IPv4 address that a socket for both families gives as `::ffff:192.0.2.1`. */
function unmapped(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && isIP(address.slice(7)) === 4
    ? address.slice(7)
    : address;
}
