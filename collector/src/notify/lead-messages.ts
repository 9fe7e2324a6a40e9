/**
 * What the leader does at the same time: empties the outbox, listens to people, and posts the receipts that are due.
 * Keeps: when one ends the others end; nothing runs on after the lock is gone.
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from '../commit/database.ts';
import type { Bots } from './create-bots.ts';
import type { Voice } from './create-voice.ts';
import type { Delivery } from './deliver-parcel.ts';
import { drainOutbox } from './drain-outbox.ts';
import type { Fate } from './notice-desk.ts';
import { createReceipts } from './post-receipts.ts';
import { takeUpdates } from './take-updates.ts';
import type { TelegramConfig } from './telegram-config.ts';
import { createTriageOutbox } from './triage-outbox.ts';

/** What a run keeps while leaders come and go. */
export interface Led {
  readonly bots: Bots;
  readonly delivery: Delivery;
}

export interface LeadOptions {
  readonly sql: Sql;
  readonly config: TelegramConfig;
  readonly log: Log;
  readonly offlineAfterMs: number;
  readonly now: () => number;
  readonly voice: () => Voice;
  readonly wake: () => void;
  /** Resolves when there may be something new. */
  readonly woken: () => Promise<void>;
  readonly onPending: (pending: number) => void;
  /** Counters that rise. */
  readonly counted: {
    readonly asked: { asked: number; strangers: number };
    readonly fates: Record<Exclude<Fate, 'pending'>, number>;
  };
}

/** Makes the work of a leader; it ends with the signal, and rejects when PostgreSQL cannot be used. */
export function createLead(options: LeadOptions): (signal: AbortSignal, led: Led) => Promise<void> {
  const { sql, config, log, now, voice, wake, offlineAfterMs } = options;
  const { asked, fates } = options.counted;
  return async (signal, { bots, delivery }) => {
    log.info({}, 'This collector sends the messages to Telegram.');
    const outbox = createTriageOutbox(sql, () => voice().policies);
    const receipts = createReceipts({ sql, log, wake });
    const over = new AbortController();
    const taking = takeUpdates({
      ...{ sql, config, log, now, offlineAfterMs, wake, counts: asked, bots, voice },
      movedChats: delivery.movedChats,
      signal: AbortSignal.any([signal, over.signal]),
    });
    try {
      await drainOutbox({
        ...{ delivery, signal, woken: options.woken, onPending: options.onPending },
        triage: async (until) => {
          receipts.look(voice().alerts, now());
          const triaged = await outbox.run(now(), until);
          for (const fate of Object.keys(fates) as (keyof typeof fates)[]) {
            fates[fate] += triaged.fates[fate];
          }
          return triaged.isMore;
        },
        triaged: () => voice().policies.isOn,
      });
    } finally {
      over.abort();
      await Promise.all([taking, receipts.settled()]);
    }
  };
}
