/**
 * The schema of alerts.yml: chats, rules, and what a message says.
 * Keeps: unknown keys, unknown chats, rules that nobody would hear, and templates that show text unescaped are refused when the collector starts.
 */
import { duration, timeZone } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { writeAddress } from './chat-address.ts';
import { isTaken } from './chats-of-rule.ts';
import { pcGroup } from './pc-groups.ts';
import { type ChatBounds, chatBounds, suppress } from './quiet-config.ts';
import {
  type AlertRule,
  list,
  NAME,
  rule,
  ruleSchedule,
  severity,
  template,
} from './rule-config.ts';
import { hour } from './schedule.ts';

/** Gives `23.11.2026 14:03:27 Пользователь Иванов запустил chrome.exe`. */
export const DEFAULT_TEMPLATE = '{{time}} Пользователь {{user}} запустил {{process}}';
/** Id of the rule that is in force when the file has no `rules`. */
export const DEFAULT_RULE_ID = 'watched-programs';

/** Telegram's own id (a number, negative for groups) or the @name of a public channel. */
const chatId = z.union([
  z
    .int()
    .refine((id) => id !== 0, 'Expected a chat id, not 0')
    .transform(String),
  z.string().regex(/^(-?[1-9]\d{0,18}|@[A-Za-z]\w{3,31})$/, 'Expected a number or @channel'),
]);

/** What a chat is in the rest of the program. */
interface Chat extends ChatBounds {
  /** Its address, see chat-address.ts. */
  readonly id: string;
}

/** A chat: its id alone, or with its thread, its bot and what it can bear. Gives its address as `id`. */
const chat = z.union([
  chatId.transform((id): Chat => ({ id })),
  z
    .strictObject({
      id: chatId,
      /** Thread of a forum group (message_thread_id). */
      topic: z.int().positive().optional(),
      /** One of telegram.bots; absent = the bot of telegram.token. */
      bot: z.string().regex(NAME, 'Expected the name of a bot under telegram.bots').optional(),
      ...chatBounds,
    })
    .transform(
      ({ id, topic, bot = '', ...bounds }): Chat => ({
        id: writeAddress({ bot, id, topic }),
        ...bounds,
      }),
    ),
]);

const chatNames = z.array(z.string().min(1)).min(1);

const route = z.strictObject({
  /** Alerts of at least this severity. */
  min_severity: severity.default('low'),
  /** Alerts of rules that have one of these labels. */
  labels: list,
  /** Alerts of PCs of one of these groups. */
  groups: list,
  /** Alerts of events of these hours. */
  schedule: ruleSchedule.optional(),
  /** Names of the chats that get them. */
  chats: chatNames,
  /** At this time of the day the chats get the receipt of the day before; absent = none. */
  receipt: hour.optional(),
});

/** Who may ask and press buttons, and where. */
const commands = z.strictObject({
  /** Telegram's ids of people. */
  users: z.array(z.int().positive()).min(1),
  /** Names of chats; absent = all chats of the file. */
  chats: chatNames.optional(),
});

const fileKeys = z.strictObject({
  /** Zone in which messages tell the time. */
  time_zone: timeZone.default('UTC'),
  template: template.default(DEFAULT_TEMPLATE),
  /** Of the sentences that have no template: counts and digests. */
  language: z.enum(['ru', 'en']).default('ru'),
  /** Alerts whose event was older when it came are told as one line with their number; 0 = never. */
  max_age: duration('0'),
  /** So long old alerts are gathered before their line is sent. */
  digest_after: duration('30s'),
  /** Rules that count take events that are so much late; later ones do not count. */
  lateness: duration('24h').refine((ms) => ms <= 31 * 86_400_000, 'Expected 31d at most'),
  /** What counts as the same, and for how long; absent = nothing does. */
  suppress: suppress.optional(),
  /** Name of a chat → its id, or its id with its thread, its bot and what it can bear. */
  chats: z
    .record(z.string().regex(NAME, 'Expected letters, digits, ".", "_" or "-"'), chat)
    .default({}),
  /** Name of a group of PCs → who is in it. */
  groups: z
    .record(z.string().regex(NAME, 'Expected letters, digits, ".", "_" or "-"'), pcGroup)
    .default({}),
  /** Who hears rules that name no chats; absent = all chats. */
  routes: z.array(route).min(1).optional(),
  /** Name of the chat that hears what no route takes, and what another chat refuses. */
  fallback: z.string().min(1).optional(),
  /** Name of the chat that hears of trouble with the alerts themselves; absent = the fallback. */
  ops: z.string().min(1).optional(),
  /** Absent = nobody may ask, and there are no buttons. */
  commands: commands.optional(),
  /** Absent = one rule: every start of a watched program by a person. */
  rules: z.array(rule).optional(),
});

type FileKeys = z.infer<typeof fileKeys>;
interface Problem {
  readonly path: (string | number)[];
  readonly message: string;
}

export const alertsConfigSchema = fileKeys.superRefine((config, context) => {
  const problems = [
    ...doubledIds(config),
    ...doubledBounds(config),
    ...unknownChats(config),
    ...unknownGroups(config),
    ...unheardRules(config),
  ];
  for (const { path, message } of problems) context.addIssue({ code: 'custom', path, message });
});

const isBounded = ({ budget, digest, quiet_hours }: ChatBounds): boolean =>
  [budget, digest, quiet_hours].some((bound) => bound !== undefined);

/** Two names may stand for one chat, but it bears only one thing. */
function doubledBounds({ chats }: FileKeys): Problem[] {
  const bounded = Object.entries(chats).filter(([, one]) => isBounded(one));
  return bounded.flatMap(([name, { id }], index) => {
    const [other] = bounded.slice(0, index).find(([, one]) => one.id === id) ?? [];
    if (other === undefined) return [];
    const message = `Chats "${other}" and "${name}" are one chat with two bounds. Keep budget, digest and quiet_hours at one of them.`;
    return [{ path: ['chats', name], message }];
  });
}

function doubledIds({ rules = [] }: FileKeys): Problem[] {
  return rules.flatMap(({ id }, index) => {
    if (rules.findIndex((one) => one.id === id) === index) return [];
    const message = `Rule "${id}" is there twice. Give one of them another id.`;
    return [{ path: ['rules', index, 'id'], message }];
  });
}

function unknownChats({ chats, rules = [], routes = [], ...file }: FileKeys): Problem[] {
  const there = Object.keys(chats).join(', ') || 'none';
  const unknown = (names: readonly string[], path: Problem['path']): Problem[] =>
    names
      .filter((name) => !Object.hasOwn(chats, name))
      .map((name) => ({ path, message: `Chat "${name}" is not under chats. Known: ${there}.` }));
  return [
    ...rules.flatMap((one, index) => unknown(one.chats ?? [], ['rules', index, 'chats'])),
    ...routes.flatMap((one, index) => unknown(one.chats, ['routes', index, 'chats'])),
    ...unknown(file.fallback === undefined ? [] : [file.fallback], ['fallback']),
    ...unknown(file.ops === undefined ? [] : [file.ops], ['ops']),
    ...unknown(file.commands?.chats ?? [], ['commands', 'chats']),
  ];
}

/** A group that is not there would be a rule that never fires. */
function unknownGroups({ groups, rules = [], routes = [] }: FileKeys): Problem[] {
  const there = Object.keys(groups).join(', ') || 'none';
  const unknown = (names: readonly string[] | undefined, path: Problem['path']): Problem[] =>
    (names ?? [])
      .filter((name) => !/[*?]/.test(name) && !Object.hasOwn(groups, name))
      .map((name) => ({ path, message: `Group "${name}" is not under groups. Known: ${there}.` }));
  return [
    ...rules.flatMap((one, index) => [
      ...unknown(one.groups, ['rules', index, 'groups']),
      ...unknown(one.exclude?.groups, ['rules', index, 'exclude', 'groups']),
      ...unknown(one.followed_by?.groups, ['rules', index, 'followed_by', 'groups']),
    ]),
    ...routes.flatMap((one, index) => unknown(one.groups, ['routes', index, 'groups'])),
  ];
}

/** Whoever writes routes must not lose alerts by a severity that no route takes. */
function unheardRules(config: FileKeys): Problem[] {
  if (config.routes === undefined || config.fallback !== undefined) return [];
  return allRules(config.rules).flatMap((one, index) => {
    const isRouted = one.chats === undefined && one.enabled;
    if (!isRouted || isTaken(one, config.routes ?? [])) return [];
    const labels = one.labels.length === 0 ? 'no labels' : `labels ${one.labels.join(', ')}`;
    const message = `No route takes rule "${one.id}" (severity ${one.severity}, ${labels}). Give the rule chats, add a route that takes it whatever the group and the hour, or name a fallback.`;
    return [{ path: config.rules === undefined ? ['routes'] : ['rules', index, 'id'], message }];
  });
}

export type AlertsConfig = z.infer<typeof alertsConfigSchema>;
export type Language = AlertsConfig['language'];

/** The rules of the file, those that are switched off too; the default rule where it has none. */
export function allRules(rules: readonly AlertRule[] | undefined): readonly AlertRule[] {
  return rules ?? [rule.parse({ id: DEFAULT_RULE_ID })];
}

/** The rules in force. */
export function rulesOf(config: AlertsConfig): readonly AlertRule[] {
  return allRules(config.rules).filter((one) => one.enabled);
}
