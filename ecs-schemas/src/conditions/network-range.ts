/**
 * Takes an IP address and a network (CIDR, or one of Beats' names such as `private`), tells whether the one lies in the other.
 * Keeps: addresses are compared as numbers; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4.
 * Source of the names: Elastic, "Define processors", condition network; Go's net.IP methods of the same names.
 */

interface Address {
  readonly bits: 32 | 128;
  readonly value: bigint;
}

/** Whether an address is in the network. */
export type Network = (address: Address) => boolean;

interface Cidr extends Address {
  readonly length: number;
}

function parseV4(text: string): bigint | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0n;
  for (const part of parts) {
    if (!/^(?:0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined;
    value = (value << 8n) | BigInt(part);
  }
  return value;
}

/** The 16-bit groups of one side of `::`; the last of the address may be an IPv4 address. */
function groupsOf(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    const v4 =
      isLast && index === parts.length - 1 && part.includes('.') ? parseV4(part) : undefined;
    if (v4 !== undefined) groups.push(Number(v4 >> 16n), Number(v4 & 0xffffn));
    else if (/^[0-9a-f]{1,4}$/i.test(part)) groups.push(Number.parseInt(part, 16));
    else return undefined;
  }
  return groups;
}

function parseV6(text: string): bigint | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const head = groupsOf(sides[0] ?? '', sides.length === 1);
  const tail = groupsOf(sides[1] ?? '', true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const groups = [...head, ...new Array<number>(sides.length === 2 ? missing : 0).fill(0), ...tail];
  return groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n);
}

const V4_IN_V6 = 0xffffn << 32n;

/** Reads an address; undefined for any other text. A zone (`fe80::1%eth0`) is left aside. */
export function parseAddress(text: string): Address | undefined {
  const v4 = parseV4(text);
  if (v4 !== undefined) return { bits: 32, value: v4 };
  if (text.length > 64 || !text.includes(':')) return undefined;
  const v6 = parseV6(text.split('%', 1)[0] ?? '');
  if (v6 === undefined) return undefined;
  return v6 >> 32n === V4_IN_V6 >> 32n
    ? { bits: 32, value: v6 & 0xffff_ffffn }
    : { bits: 128, value: v6 };
}

function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]{2,45})\/(\d{1,3})$/.exec(text);
  const address = match === null ? undefined : parseAddress(match[1] ?? '');
  const length = Number(match?.[2]);
  return address === undefined || length > address.bits ? undefined : { ...address, length };
}

const inCidr =
  (network: Cidr): Network =>
  ({ bits, value }) => {
    const shift = BigInt(network.bits - network.length);
    return bits === network.bits && value >> shift === network.value >> shift;
  };

const anyOf = (...cidrs: readonly string[]): Network => {
  const networks = cidrs.flatMap((text) => {
    const cidr = parseCidr(text);
    return cidr === undefined ? [] : [inCidr(cidr)];
  });
  return (address) => networks.some((network) => network(address));
};

const loopback = anyOf('127.0.0.0/8', '::1/128');
const multicast = anyOf('224.0.0.0/4', 'ff00::/8');
const unspecified = anyOf('0.0.0.0/32', '::/128');
const linkLocalUnicast = anyOf('169.254.0.0/16', 'fe80::/10');
const privateUse = anyOf('10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7');
const broadcast = anyOf('255.255.255.255/32');

const NAMED: Readonly<Record<string, Network>> = {
  loopback,
  // Go's IsGlobalUnicast: private addresses count too.
  unicast: (address) =>
    ![loopback, multicast, unspecified, linkLocalUnicast, broadcast].some((one) => one(address)),
  multicast,
  interface_local_multicast: anyOf('ff01::/16'),
  link_local_unicast: linkLocalUnicast,
  link_local_multicast: anyOf('224.0.0.0/24', 'ff02::/16'),
  private: privateUse,
  public: (address) =>
    ![loopback, multicast, unspecified, linkLocalUnicast, privateUse, broadcast].some((one) =>
      one(address),
    ),
  unspecified,
};

/** Names that a network may have besides a CIDR. */
export const NETWORK_NAMES: readonly string[] = Object.keys(NAMED);

/** Reads a network; undefined for a text that is none. */
export function parseNetwork(text: string): Network | undefined {
  if (Object.hasOwn(NAMED, text)) return NAMED[text];
  const cidr = parseCidr(text);
  return cidr === undefined ? undefined : inCidr(cidr);
}
