/**
 * What a request is asked for: a stretch of time, a data stream, and what the cluster can do.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';

export interface Asked {
  /** Both ends inclusive. */
  readonly from: Date;
  readonly to: Date;
  /**
   * The cluster has x-pack's analytics module (multi_terms, top_metrics). Without it, which is so in Elastic's test distribution,
   * the nearest core aggregations stand in: nested terms and top_hits.
   */
  readonly analytics: boolean;
  /** The data stream that is asked; default: the process starts. */
  readonly stream?: StreamKey;
}

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** Intervals that Kibana rounds to, with their lengths. */
const NICE: readonly (readonly [interval: string, lengthMs: number])[] = [
  ['1s', SECOND_MS],
  ['10s', 10 * SECOND_MS],
  ['30s', 30 * SECOND_MS],
  ['1m', MINUTE_MS],
  ['5m', 5 * MINUTE_MS],
  ['10m', 10 * MINUTE_MS],
  ['30m', 30 * MINUTE_MS],
  ['1h', HOUR_MS],
  ['3h', 3 * HOUR_MS],
  ['12h', 12 * HOUR_MS],
  ['1d', DAY_MS],
  ['7d', 7 * DAY_MS],
  ['30d', 30 * DAY_MS],
];

/** `histogram:maxBars`, Kibana's default. */
const BARS_MAX = 100;

/** Milliseconds of a span such as `15m`, as Lens names a part of the time range. */
export function spanMs(text: string): number {
  const [, amount = '', unit = ''] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const length = { s: SECOND_MS, m: MINUTE_MS, h: HOUR_MS, d: DAY_MS }[unit];
  if (length === undefined) throw new Error(`No span of time: "${text}"`);
  return Number(amount) * length;
}

/** The interval that `auto` stands for: the shortest with at most 100 bars. */
export function autoInterval({ from, to }: Pick<Asked, 'from' | 'to'>): string {
  const span = to.getTime() - from.getTime();
  return NICE.find(([, length]) => span / length <= BARS_MAX)?.[0] ?? '30d';
}
