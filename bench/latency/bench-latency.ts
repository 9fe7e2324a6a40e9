/**
 * The latency part of the bench: event to chat at each rate. The figures are those of the highest rate that kept its promise.
 */
import { startElasticsearch } from '../../tests/support/elasticsearch.ts';
import { startPostgres } from '../../tests/support/postgres.ts';
import type { Part, PartOptions } from '../results.ts';
import { type Latency, measureLatency } from './event-to-chat.ts';

/** What is promised: 95 of 100 within two seconds, and every message. */
const P95_MS_MAX = 2_000;

const passes = (one: Latency): boolean => one.p95Ms < P95_MS_MAX && one.messages >= one.expected;

/** Measures it; all rates stand in the details. */
export async function benchLatency(options: PartOptions): Promise<Part<'latency'>> {
  const { folder, settings, say } = options;
  say('starting the stores');
  const postgres = await startPostgres();
  const elasticsearch = settings.elasticsearch
    ? await startElasticsearch({ private: true, fullSpeed: true })
    : undefined;
  try {
    const rates: Record<string, Latency> = {};
    for (const rate of settings.latency.rates) {
      say(`${rate} events a second`);
      rates[rate] = await measureLatency({
        folder,
        postgresUrl: postgres.url,
        elasticsearchUrl: elasticsearch?.url,
        rate,
        seconds: settings.latency.seconds,
      });
    }
    const passed = Object.values(rates).filter(passes).at(-1);
    const { p50Ms = null, p95Ms = null, p99Ms = null } = passed ?? {};
    return { figures: { eventToChat: { p50Ms, p95Ms, p99Ms } }, detail: { rates } };
  } finally {
    await elasticsearch?.stop();
    await postgres.stop();
  }
}
