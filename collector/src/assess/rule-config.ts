/**
 * The schema of one rule in alerts.yml: what it is about, when it holds, how loud it is and who hears it.
 * Keeps: unknown keys are refused; a condition or a template with a mistake is refused with its place.
 */
import { conditionSchema } from '@launchbeat/ecs-schemas/conditions';
import { z } from 'zod';
import { templateProblems } from './message-template.ts';
import { span, suppress, windowOrNone } from './quiet-config.ts';
import { kindKeys, kindProblems } from './rule-kinds.ts';
import { scheduleKeys } from './schedule.ts';

/** Form of names that operators give: rules, chats. */
export const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

/** From the least to the most. */
export const SEVERITIES = ['low', 'medium', 'high', 'critical'] as const;
export const severity = z.enum(SEVERITIES);

export const template = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    for (const message of templateProblems(text)) context.addIssue({ code: 'custom', message });
  });

export const list = z
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
  /** Names of the program files that started it. */
  parents: list,
  /** Whole paths of program files. */
  executables: list,
  /** Command lines. */
  command_lines: list,
  /** Traits such as `elevated`. */
  flags: list,
  /** Tags of the agent: those of its enrolment, and those that it writes into its events. */
  tags: list,
  /** Names of groups of PCs, from the file. */
  groups: list,
};

export const ruleSchedule = z.strictObject({
  ...scheduleKeys,
  /** It holds whenever the schedule does not. */
  outside: z.boolean().default(false),
});

const ruleKeys = z.strictObject({
  id: z.string().regex(NAME, 'Expected letters, digits, ".", "_" or "-", at most 64'),
  /** Off: the rule is checked, but nothing comes of it. */
  enabled: z.boolean().default(true),
  /** For people; `rules check` shows it. */
  description: z.string().optional(),
  ...matchLists,
  /** An event that one of these matches is left out. */
  exclude: z.strictObject(matchLists).optional(),
  /** A condition in Beats' grammar that must hold as well. */
  when: conditionSchema.optional(),
  /** Only starts by a person, not helper processes. */
  launch_only: z.boolean().default(true),
  /** When the rule holds, by the event's time. */
  schedule: ruleSchedule.optional(),
  ...kindKeys,
  /** What must follow what the lists above are about. */
  followed_by: z.strictObject(matchLists).optional(),
  severity: severity.default('medium'),
  labels: z.array(z.string().min(1)).default([]),
  /** Tactics and techniques of MITRE ATT&CK. */
  mitre: z
    .array(
      z
        .string()
        .regex(/^(T\d{4}(\.\d{3})?|TA\d{4})$/, 'Expected an id such as T1059.001 or TA0002'),
    )
    .default([]),
  /** Names of chats; absent = by the routes, else all. */
  chats: list,
  /** Instead of the template of the file. */
  template: template.optional(),
  /** Instead of max_age of the file. */
  max_age: span.optional(),
  /** Instead of suppress of the file. */
  suppress: suppress.optional(),
  /** Instead of digest of the chat; 0 = at once. */
  digest: windowOrNone.optional(),
});

export const rule = ruleKeys.superRefine((one, context) => {
  for (const { key, message } of kindProblems(one)) {
    context.addIssue({ code: 'custom', path: [key], message });
  }
});

export type AlertRule = z.infer<typeof rule>;
export type MatchLists = Pick<AlertRule, keyof typeof matchLists>;
export const MATCH_LISTS = Object.keys(matchLists) as (keyof MatchLists)[];
