/**
 * The bounds of the queue to Elasticsearch: chunks that it does not have yet.
 * Keeps: a look is cheap (an index-only count, at most one each LOOK_MS), and this process's own commits count at once.
 */
import type { Sql } from './database.ts';

export interface QueueSize {
  readonly chunks: number;
  /** Compressed. */
  readonly bytes: number;
  readonly lines: number;
}

export interface QueueBounds {
  readonly max_bytes: number;
  readonly max_lines: number;
}

export interface IndexQueue {
  /** Which bound is reached, as a sentence; undefined = there is room. Rejects when PostgreSQL cannot be asked. */
  full(): Promise<string | undefined>;
  /** Counts a chunk that was committed since the last look. */
  add(bytes: number, lines: number): void;
  /** As of the last look. */
  size(): QueueSize;
}

const LOOK_MS = 5000;

/** Makes the guard. `now` is Unix milliseconds, for tests. */
export function createIndexQueue(
  sql: Sql,
  bounds: QueueBounds,
  now: () => number = Date.now,
): IndexQueue {
  let size: QueueSize = { chunks: 0, bytes: 0, lines: 0 };
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const [row] = await sql<{ chunks: string; bytes: string; lines: string }[]>`
      select count(*) as chunks, coalesce(sum(body_bytes), 0) as bytes, coalesce(sum(lines), 0) as lines
      from chunks where indexed_at is null`;
    size = {
      chunks: Number(row?.chunks),
      bytes: Number(row?.bytes),
      lines: Number(row?.lines),
    };
    lookedAtMs = now();
  }

  return {
    async full() {
      if (now() - lookedAtMs >= LOOK_MS) {
        looking ??= look().finally(() => {
          looking = undefined;
        });
        await looking;
      }
      if (size.bytes >= bounds.max_bytes) {
        return `Elasticsearch lacks ${size.bytes} bytes of chunks, the bound is ${bounds.max_bytes}.`;
      }
      return size.lines < bounds.max_lines
        ? undefined
        : `Elasticsearch lacks ${size.lines} lines, the bound is ${bounds.max_lines}.`;
    },
    add(bytes, lines) {
      size = { chunks: size.chunks + 1, bytes: size.bytes + bytes, lines: size.lines + lines };
    },
    size: () => size,
  };
}
