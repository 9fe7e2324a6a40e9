/**
 * Counts wrong keys by address, so that guessing is slow and costs PostgreSQL nothing.
 * Keeps: memory bounded; agents that share an address with a guesser (NAT, load balancer) go on working, since a key
 * that was right lately is looked at whatever its address did.
 */

export interface FailedKeys {
  /** Counts one; gives how many there were in this minute. */
  count(address: string): number;
  /** Whether the address is over its limit. */
  over(address: string): boolean;
}

const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

/** Makes the counter; `perMinute` is asked each time. `now` is Unix milliseconds, for tests. */
export function createFailedKeys(
  perMinute: () => number,
  now: () => number = Date.now,
): FailedKeys {
  const counts = new Map<string, number>();
  let windowStartMs = now();

  /** Fixed windows: at worst twice the limit around a border, and nothing to keep per failure. */
  function roll(): void {
    if (now() - windowStartMs < WINDOW_MS) return;
    counts.clear();
    windowStartMs = now();
  }

  return {
    count(address) {
      roll();
      const place = network(address);
      if (counts.size >= ADDRESSES_MAX && !counts.has(place)) counts.clear();
      const failures = (counts.get(place) ?? 0) + 1;
      counts.set(place, failures);
      return failures;
    },
    over(address) {
      roll();
      return (counts.get(network(address)) ?? 0) >= perMinute();
    },
  };
}

/** IPv6 hands a whole /64 to one customer: count that. */
function network(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = ''] = address.split('::');
  return head.split(':').slice(0, 4).join(':');
}
