/**
 * The bound on the memory of all chunks being worked on at once.
 * Keeps: bytes are counted when they come, not when they are announced, so that slow or lying senders hold nothing.
 */

/** What one request holds. */
export interface Share {
  /** Takes more; false if that would be over the bound, nothing is taken then. */
  take(bytes: number): boolean;
  /** Gives everything back; later calls do nothing. */
  release(): void;
}

export interface InFlight {
  share(): Share;
  /** Bytes that all shares hold. */
  bytes(): number;
  /** Shares that were not given back. */
  requests(): number;
}

/** Makes the bound; `bytesMax` is asked each time. */
export function createInFlight(bytesMax: () => number): InFlight {
  let total = 0;
  let open = 0;
  return {
    bytes: () => total,
    requests: () => open,
    share() {
      let held = 0;
      let released = false;
      open += 1;
      return {
        take(bytes) {
          if (total + bytes > bytesMax()) return false;
          total += bytes;
          held += bytes;
          return true;
        },
        release() {
          if (released) return;
          released = true;
          total -= held;
          open -= 1;
        },
      };
    },
  };
}
