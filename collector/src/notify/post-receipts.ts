/**
 * Looks which routes are due for the receipt of a day, reads it and puts it in line.
 * Keeps: once for each chat, route and day, whoever leads; nobody who waits for an alert waits for the sums.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { placeOfAgent } from '../assess/agent-rules.ts';
import type { AlertsConfig } from '../assess/alerts-config.ts';
import { createFleetView, NO_TAGS } from '../assess/pc-groups.ts';
import type { Sql } from '../commit/database.ts';
import { postBulletin } from './bulletins.ts';
import { readReceipt } from './read-receipt.ts';
import { lastReceiptDay, type ReceiptDay } from './receipt-times.ts';
import { writeReceipt } from './write-receipt.ts';

export interface ReceiptsOptions {
  readonly sql: Sql;
  readonly log: Log;
  /** There are new messages. */
  readonly wake: () => void;
}

export interface Receipts {
  /** Begins what is due at this moment, Unix milliseconds. */
  look(alerts: AlertsConfig, nowMs: number): void;
  /** Resolves when nothing is being read. */
  settled(): Promise<void>;
}

/** After so long nobody asks for it any more. */
const LATE_MS = 12 * 3_600_000;
const RETRY_MS = 60_000;
const LOOK_MS = 5_000;

interface Due {
  readonly day: ReceiptDay;
  readonly chatIds: readonly string[];
  readonly groups: readonly string[];
  readonly topic: string;
}

/** Makes them for one leader. */
export function createReceipts({ sql, log, wake }: ReceiptsOptions): Receipts {
  const done = new Set<string>();
  let nextMs = 0;
  let reading: Promise<void> | undefined;

  async function post(due: readonly Due[], alerts: AlertsConfig): Promise<void> {
    for (const one of due) {
      await postReceipt(sql, one, alerts);
      done.add(one.topic);
    }
    if (due.length > 0) wake();
  }

  return {
    look(alerts, nowMs) {
      if (reading !== undefined || nowMs < nextMs) return;
      nextMs = nowMs + LOOK_MS;
      const due = dueReceipts(alerts, nowMs).filter(({ topic }) => !done.has(topic));
      if (due.length === 0) return;
      reading = post(due, alerts)
        .catch((err: unknown) => {
          nextMs = nowMs + RETRY_MS;
          log.warn({ err }, 'The receipt of the day cannot be read yet; it is tried again.');
        })
        .finally(() => {
          reading = undefined;
        });
    },
    async settled() {
      await reading;
    },
  };
}

/** The receipts whose hour has come and that are not too late. Pure. */
export function dueReceipts(alerts: AlertsConfig, nowMs: number): Due[] {
  return (alerts.routes ?? []).flatMap((route) => {
    if (route.receipt === undefined) return [];
    const day = lastReceiptDay(route.receipt, alerts.time_zone, nowMs);
    if (nowMs - day.toMs > LATE_MS) return [];
    const groups = route.groups ?? [];
    const chatIds = route.chats.flatMap((name) => alerts.chats[name]?.id ?? []);
    const topic = `receipt ${day.date} ${route.receipt} ${groups.join(',')}`;
    return [{ day, chatIds: [...new Set(chatIds)], groups, topic }];
  });
}

async function postReceipt(sql: Sql, due: Due, alerts: AlertsConfig): Promise<void> {
  const { day, groups, topic } = due;
  const agentIds = groups.length === 0 ? undefined : await agentsOf(sql, groups, alerts);
  const receipt = await readReceipt(sql, { ...day, agentIds });
  const { time_zone: timeZone, language } = alerts;
  const message = writeReceipt({ day, timeZone, language, groups }, receipt);
  for (const chatId of due.chatIds) {
    await postBulletin(sql, { chatId, kind: 'receipt', topic, message });
  }
}

/** Ids of the agents whose PC is in one of the groups. */
async function agentsOf(
  sql: Sql,
  groups: readonly string[],
  alerts: AlertsConfig,
): Promise<string[]> {
  const { groupsOf } = createFleetView(alerts.groups, NO_TAGS);
  const rows = await sql<{ id: string; name: string; host: string; tags: string[] }[]>`
    select id, name, host, tags from agents`;
  return rows
    .filter((row) => groupsOf(placeOfAgent(row)).some((name) => groups.includes(name)))
    .map((row) => row.id);
}
