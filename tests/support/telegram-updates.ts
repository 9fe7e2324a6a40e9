/**
 * The queue of updates that a bot fetches by long polling. Source: https://core.telegram.org/bots/api#getupdates
 * Keeps: an update is given again until a higher offset confirms it; a second poll ends the first.
 */

export interface TelegramUpdate {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

const LIMIT_MAX = 100;
const TIMEOUT_MAX_S = 50;

export interface UpdateQueue {
  /** Adds an update such as `{ message: … }` or `{ callback_query: … }`; gives its id. */
  add(update: Readonly<Record<string, unknown>>): number;
  /** The updates from `offset` on, waiting up to `timeoutS` for the first; undefined when another poll took over. */
  poll(ask: {
    offset: number;
    limit: number;
    timeoutS: number;
    /** Kinds that the bot asks for; none = all. Others are thrown away, as Telegram does. */
    kinds?: readonly string[];
  }): Promise<readonly TelegramUpdate[] | undefined>;
  /** Ends a poll that waits. */
  close(): void;
}

export function createUpdateQueue(): UpdateQueue {
  let updates: TelegramUpdate[] = [];
  let nextId = 1;
  let waiting: ((isReplaced: boolean) => void) | undefined;
  const wake = (isReplaced: boolean): void => {
    waiting?.(isReplaced);
    waiting = undefined;
  };
  return {
    add(update) {
      const id = nextId;
      nextId += 1;
      updates.push({ update_id: id, ...update });
      wake(false);
      return id;
    },
    async poll({ offset, limit, timeoutS, kinds = [] }) {
      wake(true);
      if (offset > 0) updates = updates.filter((update) => update.update_id >= offset);
      if (updates.length === 0 && timeoutS > 0) {
        const isReplaced = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), Math.min(timeoutS, TIMEOUT_MAX_S) * 1000);
          waiting = (replaced) => {
            clearTimeout(timer);
            resolve(replaced);
          };
        });
        if (isReplaced) return undefined;
      }
      updates = updates.filter(
        (update) => kinds.length === 0 || kinds.some((kind) => kind in update),
      );
      return updates.slice(0, Math.min(Math.max(limit, 1), LIMIT_MAX));
    },
    close: () => wake(false),
  };
}
