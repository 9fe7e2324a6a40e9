/**
 * The schema of alerts.yml: chats, rules, and what a message says.
 * Keeps: unknown keys, unknown chats and templates that show text unescaped are refused when the collector starts.
 */
import { timeZone } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { templateProblems } from './message-template.ts';

/** Gives `23.11.2026 14:03:27 Пользователь Иванов запустил chrome.exe`. */
export const DEFAULT_TEMPLATE = '{{time}} Пользователь {{user}} запустил {{process}}';
/** Id of the rule that is in force when the file has no `rules`. */
export const DEFAULT_RULE_ID = 'watched-programs';

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

const template = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    for (const message of templateProblems(text)) context.addIssue({ code: 'custom', message });
  });

/** Telegram's own id (a number, negative for groups) or the @name of a public channel. */
const chatId = z.union([
  z
    .int()
    .refine((id) => id !== 0, 'Expected a chat id, not 0')
    .transform(String),
  z.string().regex(/^(-?[1-9]\d{0,18}|@[A-Za-z]\w{3,31})$/, 'Expected a number or @channel'),
]);

const list = z
  .array(z.string().min(1))
  .min(1, 'Expected at least one entry; leave the key out if it is not to decide')
  .optional();

const matchLists = {
  /** Labels of watched programs or names of program files. */
  programs: list,
  /** `name` or `DOMAIN\name`. */
  users: list,
  /** Names of PCs, whole or up to the first dot. */
  hosts: list,
};

const rule = z.strictObject({
  id: z.string().regex(NAME, 'Expected letters, digits, ".", "_" or "-", at most 64'),
  ...matchLists,
  /** An event that one of these matches is left out. */
  exclude: z.strictObject(matchLists).optional(),
  /** Names of chats; absent = all. */
  chats: list,
  /** Instead of the template of the file. */
  template: template.optional(),
  /** Only starts by a person, not helper processes. */
  launch_only: z.boolean().default(true),
});

export const alertsConfigSchema = z
  .strictObject({
    /** Zone in which messages tell the time. */
    time_zone: timeZone.default('UTC'),
    template: template.default(DEFAULT_TEMPLATE),
    /** Name of a chat → its id. */
    chats: z
      .record(z.string().regex(NAME, 'Expected letters, digits, ".", "_" or "-"'), chatId)
      .default({}),
    /** Absent = one rule: every start of a watched program by a person, to all chats. */
    rules: z.array(rule).optional(),
  })
  .superRefine((config, context) => {
    const seen = new Set<string>();
    for (const [index, { id, chats = [] }] of (config.rules ?? []).entries()) {
      if (seen.has(id)) {
        const message = `Rule "${id}" is there twice. Give one of them another id.`;
        context.addIssue({ code: 'custom', path: ['rules', index, 'id'], message });
      }
      seen.add(id);
      for (const name of chats.filter((one) => !Object.hasOwn(config.chats, one))) {
        const known = Object.keys(config.chats).join(', ') || 'none';
        const message = `Chat "${name}" is not under chats. Known: ${known}.`;
        context.addIssue({ code: 'custom', path: ['rules', index, 'chats'], message });
      }
    }
  });

export type AlertsConfig = z.infer<typeof alertsConfigSchema>;
export type AlertRule = z.infer<typeof rule>;

/** The rules in force. */
export function rulesOf(config: AlertsConfig): readonly AlertRule[] {
  return config.rules ?? [{ id: DEFAULT_RULE_ID, launch_only: true }];
}
