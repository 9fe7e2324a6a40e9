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
  /** For how long the oldest of them has waited, in seconds: the lag of Elasticsearch. 0 = none waits. */
  readonly lagSeconds: number;
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
  /** As of the last look; asks for a new one where that is long ago, and does not wait for it. */
  size(): QueueSize;
}

const LOOK_MS = 5000;

/** Makes the guard. `now` is Unix milliseconds, for tests. */
export function createIndexQueue(
  sql: Sql,
  bounds: QueueBounds,
  now: () => number = Date.now,
): IndexQueue {
  let size = { chunks: 0, bytes: 0, lines: 0 };
  let oldestAtMs: number | undefined;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    // Ids rise with time: the oldest one is the first of the index.
    const [row] = await sql<
      { chunks: string; bytes: string; lines: string; waited: number | null }[]
    >`
      select count(*) as chunks, coalesce(sum(body_bytes), 0) as bytes, coalesce(sum(lines), 0) as lines,
        (select extract(epoch from now() - received_at)::float8 from chunks where indexed_at is null order by id limit 1) as waited
      from chunks where indexed_at is null`;
    size = {
      chunks: Number(row?.chunks),
      bytes: Number(row?.bytes),
      lines: Number(row?.lines),
    };
    lookedAtMs = now();
    const waited = row?.waited ?? undefined;
    oldestAtMs = waited === undefined ? undefined : lookedAtMs - waited * 1000;
  }

  async function lookOnce(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    await looking;
  }

  const isOld = (): boolean => now() - lookedAtMs >= LOOK_MS;

  return {
    async full() {
      if (isOld()) await lookOnce();
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
    size() {
      // Without commits nobody else asks; a PostgreSQL that is away leaves what was known.
      if (isOld()) lookOnce().catch(() => undefined);
      const lagMs = oldestAtMs === undefined ? 0 : now() - oldestAtMs;
      return { ...size, lagSeconds: Math.max(0, lagMs / 1000) };
    },
  };
}
