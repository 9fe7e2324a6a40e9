/**
 * Takes a command that somebody wrote, gives the answer.
 * Keeps: what is no command is none of ours; words of people reach queries as parameters only.
 */
import { randomUUID } from 'node:crypto';
import { createWriteTime } from '../assess/alert-fields.ts';
import { allRules } from '../assess/alerts-config.ts';
import { span } from '../assess/quiet-config.ts';
import type { Sql } from '../commit/database.ts';
import type { Asker, Asking, Reply } from './answer-update.ts';
import { agentsText, digestText, lastText, rulesText, statusText, whoText } from './ask-store.ts';
import { addMute, endMutes } from './mutes.ts';
import { visibleText } from './visible-text.ts';

/** A command and the words behind it. */
export interface Command {
  readonly name: string;
  readonly words: readonly string[];
}

/** Reads `/name words` or `/name@bot words`; undefined = no command, or one for another bot. */
export function readCommand(text: string, botName: string): Command | undefined {
  const [, name, bot, rest = ''] =
    /^\/([a-z_]{1,32})(@\w{1,64})?(?:\s+([\s\S]*))?$/i.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  if (bot !== undefined && bot.toLowerCase() !== botName.toLowerCase()) return undefined;
  return { name: name.toLowerCase(), words: rest.split(/\s+/).filter((word) => word !== '') };
}

const HOUR_MS = 3_600_000;
const MUTE_MAX_MS = 31 * 24 * HOUR_MS;

/** Answers; reads only. Rejects when PostgreSQL cannot be used. */
export async function answerCommand(
  sql: Sql,
  { name, words }: Command,
  asker: Asker,
  asking: Asking,
): Promise<Reply> {
  const shared = { action: name, subject: asker.chatId, detail: { words: words.join(' ') } };
  const say = (en: string, ru: string): string => (asking.voice.alerts.language === 'ru' ? ru : en);
  const query = words.join(' ');
  switch (name) {
    case 'status':
      return { ...shared, text: await statusText(sql, asker, asking) };
    case 'last':
      return { ...shared, text: await lastText(sql, query, asking) };
    case 'who':
      return query === ''
        ? { ...shared, text: say('/who program.exe', '/who программа.exe') }
        : { ...shared, text: await whoText(sql, query, asking) };
    case 'rules':
      return { ...shared, text: await rulesText(sql, asker, asking) };
    case 'agents':
      return { ...shared, text: await agentsText(sql, asking) };
    case 'digest':
      return { ...shared, text: await digestText(sql, asker, asking) };
    case 'mute':
      return { ...shared, ...mute(words, asker, asking) };
    case 'unmute':
      return { ...shared, ...unmute(words, asker, asking) };
    default:
      return { ...shared, action: 'help', text: helpText(say) };
  }
}

type Say = (en: string, ru: string) => string;

const helpText = (say: Say): string =>
  [
    `/status – ${say('how it goes', 'как дела')}`,
    `/last [${say('user|pc', 'пользователь|пк')}] – ${say('last launches', 'последние запуски')}`,
    `/who ${say('program', 'программа')} – ${say('who started it within 24 h', 'кто запускал за 24 ч')}`,
    `/mute ${say('rule', 'правило')} 2h – ${say('quiet for a while; everything is counted', 'тихо на время, всё считается')}`,
    `/unmute [${say('rule', 'правило')}] – ${say('end of that', 'снова слышно')}`,
    `/rules – ${say('rules of this chat', 'правила этого чата')}`,
    `/agents – ${say('PCs that need a person', 'ПК, где нужен человек')}`,
    `/digest – ${say('the last 24 h of this chat', 'последние 24 ч этого чата')}`,
  ].join('\n');

function mute(
  words: readonly string[],
  asker: Asker,
  { voice, nowMs }: Asking,
): Pick<Reply, 'text' | 'change'> {
  const { alerts } = voice;
  const say: Say = (en, ru) => (alerts.language === 'ru' ? ru : en);
  const [ruleId = '', forText = '1h'] = words;
  const rules = allRules(alerts.rules).map((rule) => rule.id);
  if (!rules.includes(ruleId)) {
    const there = rules.join(', ');
    return {
      text: say(
        `No rule ${visibleText(ruleId)}. Rules: ${there}. Write /mute rule 2h`,
        `Нет правила ${visibleText(ruleId)}. Правила: ${there}. Пишите /mute правило 2h`,
      ),
    };
  }
  const parsed = span.safeParse(forText);
  if (!parsed.success || parsed.data <= 0 || parsed.data > MUTE_MAX_MS) {
    return {
      text: say(
        'Write a time from 1s to 31d: 30m, 2h, 1d.',
        'Напишите время от 1s до 31d: 30m, 2h, 1d.',
      ),
    };
  }
  const untilMs = nowMs + parsed.data;
  const until = createWriteTime(alerts.time_zone)(untilMs);
  const one = { id: randomUUID(), chatId: asker.chatId, ruleId, pair: undefined, untilMs };
  const text = say(
    `🔇 ${ruleId} is muted here until ${until}. What comes is counted. /unmute ${ruleId}`,
    `🔇 ${ruleId}: тихо здесь до ${until}. Всё считается. /unmute ${ruleId}`,
  );
  return {
    text,
    change: async (transaction) => {
      await addMute(transaction, one, { by: asker.actor, nowMs });
      return text;
    },
  };
}

function unmute(
  words: readonly string[],
  asker: Asker,
  { voice, nowMs }: Asking,
): Pick<Reply, 'text' | 'change'> {
  const say: Say = (en, ru) => (voice.alerts.language === 'ru' ? ru : en);
  return {
    text: ' ',
    change: async (transaction) => {
      const ended = await endMutes(transaction, asker.chatId, words[0], nowMs);
      return ended === 0
        ? say('Nothing is muted here.', 'Здесь ничего не выключено.')
        : say(`🔔 ${ended} ended.`, `🔔 Снова слышно: ${ended}.`);
    },
  };
}
