/**
 * The schema of what keeps a chat readable: how old an alert may be, what counts as the same, how much a chat can bear.
 * Keeps: all of it is off unless the file says otherwise; nothing of it takes an alert away, each is counted in a message.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { scheduleKeys } from './schedule.ts';

/** What alerts can have in common. `user` is DOMAIN\name; texts are compared without case. */
export const SUPPRESS_FIELDS = [
  'user',
  'host',
  'process',
  'program',
  'executable',
  'parent',
  'command_line',
] as const;
export type SuppressField = (typeof SUPPRESS_FIELDS)[number];

const DAY_MS = 86_400_000;
const durationText = duration('0');

/** A duration that may be left out; gives milliseconds. */
export const span = z.union([z.string(), z.literal(0)]).transform((text, context) => {
  const parsed = durationText.safeParse(text);
  if (parsed.success) return parsed.data;
  for (const { message } of parsed.error.issues) context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const isWindow = (ms: number): boolean => ms >= 1000 && ms <= 31 * DAY_MS;

/** A duration that something is counted in. */
export const window = span.refine(isWindow, 'Expected a duration from 1s to 31d');
/** The same, or 0 = at once. */
export const windowOrNone = span.refine(
  (ms) => ms === 0 || isWindow(ms),
  'Expected 0, or a duration from 1s to 31d',
);

export const suppress = z
  .strictObject({
    /** What makes two alerts of a rule the same. */
    key: z.array(z.enum(SUPPRESS_FIELDS)).min(1).default(['user', 'program']),
    /** So long after an alert the same ones are only counted. */
    for: window,
    /** Each time that something was counted the time doubles, up to this. */
    exponential_to: window.optional(),
  })
  .refine((one) => one.exponential_to === undefined || one.exponential_to >= one.for, {
    path: ['exponential_to'],
    message: 'Expected at least as much as "for"',
  });
export type SuppressConfig = z.infer<typeof suppress>;

/** How much a chat can bear. */
export const chatBounds = {
  /** Messages a minute; past it there is one message that counts. */
  budget: z.int().min(1).max(1000).optional(),
  /** Alerts are gathered for so long and told in one message. */
  digest: window.optional(),
  /** Alerts of these hours are kept and told in one message afterwards. */
  quiet_hours: z.strictObject(scheduleKeys).optional(),
};
export type ChatBounds = z.infer<z.ZodObject<typeof chatBounds>>;
