/**
 * Takes the data of a button that somebody pressed, gives what is done: the alert is taken on, its rule or its pair is muted, others
 * like it or its process tree are told.
 * Keeps: only data that this program wrote, and only for alerts of the chat in which it was pressed.
 */
import { randomUUID } from 'node:crypto';
import { createWriteTime } from '../assess/alert-fields.ts';
import type { Sql, TransactionSql } from '../commit/database.ts';
import type { Press } from './alert-buttons.ts';
import { readButtonData } from './alert-buttons.ts';
import type { Asker, Asking, Reply } from './answer-update.ts';
import { similarText, treeText } from './ask-about-event.ts';
import { postBulletin } from './bulletins.ts';
import { addMute, pairOf } from './mutes.ts';
import { visibleText } from './visible-text.ts';
import { wordsOf } from './words.ts';
import { escapeHtml, MESSAGE_UNITS_MAX, type Message } from './write-message.ts';

const HOUR_MS = 3_600_000;
const PAIR_MS = 24 * HOUR_MS;

/** The alert that a button is under. */
export interface PressedAlert {
  readonly id: string;
  readonly ruleId: string;
  readonly eventId: string;
  /** Time of the event. */
  readonly eventAt: Date;
  readonly chatId: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Reads what is needed; changes come with the reply. Rejects when PostgreSQL cannot be used. */
export async function answerButton(
  sql: Sql,
  data: string,
  asker: Asker,
  asking: Asking,
): Promise<Reply> {
  const { voice } = asking;
  const say = (en: string, ru: string): string => (voice.alerts.language === 'ru' ? ru : en);
  const read = readButtonData(voice.secretOf(asker.chatId) ?? '', data);
  const alert = read === undefined ? undefined : await readAlert(sql, read.alertId, asker.chatId);
  if (read === undefined || alert === undefined) {
    const text = '';
    const change = async (): Promise<string> =>
      say('This button is too old.', 'Эта кнопка устарела.');
    return { action: 'refused', subject: asker.chatId, detail: {}, text, change };
  }
  const shared = {
    action: read.press,
    subject: alert.eventId,
    detail: { rule: alert.ruleId, alert: alert.id },
  };
  return { ...shared, ...(await PRESSED[read.press]({ sql, alert, asker, asking, say })) };
}

interface Pressed {
  readonly sql: Sql;
  readonly alert: PressedAlert;
  readonly asker: Asker;
  readonly asking: Asking;
  readonly say: (en: string, ru: string) => string;
}

const PRESSED: Readonly<
  Record<Press, (pressed: Pressed) => Promise<Pick<Reply, 'text' | 'change'>>>
> = {
  // The person sees it at the button, and everybody under the alert.
  ack: async (pressed) => ({ text: '', change: async (sql) => acknowledge(sql, pressed) }),
  mute: async (pressed) => ({ text: ' ', change: async (sql) => mute(sql, pressed, HOUR_MS) }),
  pair: async (pressed) => ({
    text: ' ',
    change: async (sql) => mute(sql, pressed, PAIR_MS, pairOf(pressed.alert.fields)),
  }),
  like: async ({ sql, alert, asking }) => ({ text: await similarText(sql, alert, asking) }),
  tree: async ({ sql, alert, asking }) => ({ text: await treeText(sql, alert, asking) }),
};

async function readAlert(
  sql: Sql,
  alertId: string,
  chatId: string,
): Promise<PressedAlert | undefined> {
  const [row] = await sql<PressedAlert[]>`
    select id::text as id, rule_id as "ruleId", event_id as "eventId", event_timestamp as "eventAt",
      chat_id as "chatId", fields
    from alerts where alerts.id = ${alertId} and chat_id = ${chatId}`;
  return row;
}

/** The first one takes it on; whoever comes later hears who did. */
async function acknowledge(
  sql: TransactionSql,
  { alert, asker, asking, say }: Pressed,
): Promise<string> {
  const { voice, nowMs } = asking;
  const at = new Date(nowMs).toISOString();
  const who = visibleText(asker.name);
  const [first] = await sql`
    update alerts set acked_at = ${at}, acked_by = ${who}
    where id = ${alert.id} and acked_at is null returning id`;
  if (first === undefined) {
    const [row] = await sql<{ acked_by: string }[]>`
      select acked_by from alerts where id = ${alert.id}`;
    return say(`Already acknowledged by ${row?.acked_by}`, `Уже принял(а) ${row?.acked_by}`);
  }
  const { alerts } = voice;
  const time = createWriteTime(alerts.time_zone)(nowMs);
  const under = `\n${wordsOf(alerts.language).acked(who, time)}`;
  const shown = voice.write(alert, MESSAGE_UNITS_MAX - under.length);
  const message: Message = {
    html: shown.html + escapeHtml(under),
    plain: shown.plain + under,
  };
  const topic = `ack ${alert.id}`;
  await postBulletin(sql, {
    ...{ chatId: alert.chatId, kind: 'edit', topic, message, alertId: alert.id },
  });
  return say('Acknowledged', 'Принято');
}

async function mute(
  sql: TransactionSql,
  { alert, asker, asking, say }: Pressed,
  forMs: number,
  pair?: string,
): Promise<string> {
  const { ruleId, chatId } = alert;
  const untilMs = asking.nowMs + forMs;
  await addMute(
    sql,
    { id: randomUUID(), chatId, ruleId, pair, untilMs },
    { by: asker.actor, nowMs: asking.nowMs },
  );
  const until = createWriteTime(asking.voice.alerts.time_zone)(untilMs);
  const what = pair === undefined ? ruleId : `${ruleId}: ${visibleText(pair)}`;
  const who = visibleText(asker.name);
  return say(
    `🔇 ${what} is muted here until ${until} (${who}). What comes is counted. /unmute ${ruleId}`,
    `🔇 ${what}: тихо здесь до ${until} (${who}). Всё считается. /unmute ${ruleId}`,
  );
}
