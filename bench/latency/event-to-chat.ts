/**
 * Row: from the time in an event to its message in the chat. Real agent with a reader that looks once a second, real collector, both
 * stores, and a stand-in for Telegram that has no limits.
 */
import { fileURLToPath } from 'node:url';
import { eventIdTimeMs } from '@launchbeat/ecs-schemas';
import { eventually } from '../../tests/support/eventually.ts';
import { startTelegram } from '../../tests/support/telegram.ts';
import { startRound } from '../collector/installation.ts';
import { percentile } from '../rounds.ts';

const BRIDGE = fileURLToPath(new URL('../paced-bridge.ts', import.meta.url));
/** More alerts than this a second are a storm, which has rows of its own in the tests. */
const ALERTS_PER_SECOND_MAX = 10;
const LAST_MESSAGE_MS = 30_000;
const CHAT = 100_200_300;

export interface Latency {
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  /** Messages that came. */
  readonly messages: number;
  /** Messages that should have come. */
  readonly expected: number;
}

export interface LatencyOptions {
  readonly folder: string;
  readonly postgresUrl: string;
  readonly elasticsearchUrl?: string | undefined;
  readonly rate: number;
  readonly seconds: number;
}

/** Runs one rate. */
export async function measureLatency(options: LatencyOptions): Promise<Latency> {
  const { rate, seconds } = options;
  const telegram = await startTelegram({
    chats: [{ id: CHAT, type: 'private' }],
    limits: { perSecond: Infinity, chatPerSecond: Infinity, groupPerMinute: Infinity },
  });
  const watchedEvery = Math.max(1, Math.ceil(rate / ALERTS_PER_SECOND_MAX));
  const round = await startRound({
    ...options,
    telegram: { apiRoot: telegram.url, token: telegram.token },
    alerts: { chats: { duty: CHAT }, template: '{{event_id}}' },
    collector: {
      telegram: {
        limits: { per_second: 1000, per_chat_per_second: 100, per_group_per_minute: 6000 },
      },
    },
    agent: {
      select: 'all',
      exclude: { system_accounts: false, helper_processes: false },
      capture: {
        source: 'security-log',
        command: [
          process.execPath,
          BRIDGE,
          ...['--rate', String(rate)],
          ...['--seconds', String(seconds)],
          ...['--watched-every', String(watchedEvery)],
        ],
      },
    },
  });
  const agent = round.installation.startAgent();
  try {
    const expected = Math.ceil((rate * seconds) / watchedEvery);
    await eventually(() => telegram.messages().length >= expected, {
      timeoutMs: seconds * 1000 + LAST_MESSAGE_MS,
      intervalMs: 100,
    }).catch(() => {
      const came = `${telegram.messages().length} of ${expected} messages came`;
      throw new Error(`${came}.\n${agent.stderr()}\n${round.collector.stderr()}`);
    });
    const delays = telegram
      .requests('sendMessage')
      .filter((request) => request.status === 200)
      .map((request) => request.atMs - eventIdTimeMs(String(request.params['text'])));
    return {
      p50Ms: percentile(delays, 0.5),
      p95Ms: percentile(delays, 0.95),
      p99Ms: percentile(delays, 0.99),
      messages: delays.length,
      expected,
    };
  } finally {
    await agent.stop();
    await round.stop();
    await telegram.stop();
  }
}
