/**
 * A map that forgets: holds the entries that were set or read last, up to a number.
 * Keeps: memory bounded whatever a stranger sends.
 */

export interface RecentMap<Key, Value> {
  get(key: Key): Value | undefined;
  set(key: Key, value: Value): void;
  delete(key: Key): void;
  /** Those that were touched longest ago first. */
  all(): Iterable<readonly [Key, Value]>;
}

/** Makes a map of at most `entriesMax` entries; the one that was touched longest ago goes first. */
export function createRecentMap<Key, Value>(entriesMax: number): RecentMap<Key, Value> {
  // A Map iterates in order of insertion: setting anew moves an entry to the end.
  const entries = new Map<Key, Value>();
  return {
    get(key) {
      const value = entries.get(key);
      if (value !== undefined) {
        entries.delete(key);
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      if (entries.size <= entriesMax) return;
      const [oldest] = entries.keys();
      if (oldest !== undefined) entries.delete(oldest);
    },
    delete(key) {
      entries.delete(key);
    },
    all: () => entries,
  };
}
