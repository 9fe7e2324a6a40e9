/**
 * Takes a time as people write it on a command line, gives the moment.
 */
import { duration } from '@launchbeat/ecs-schemas/beat';

const span = duration('0');
const ISO = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

/** `7d`, `12h` = so long ago; else a date (UTC) or a time with its zone. Throws with the option's name. */
export function parseMoment(text: string, option: string, nowMs: number = Date.now()): Date {
  const parsed = span.safeParse(text);
  if (parsed.success && parsed.data > 0) return new Date(nowMs - parsed.data);
  const moment = new Date(text);
  if (ISO.test(text) && !Number.isNaN(moment.getTime())) return moment;
  throw new Error(
    `${option} ${text} is no time. Write how long ago, such as 7d or 12h, or a date such as 2026-11-23 or 2026-11-23T06:00:00Z.`,
  );
}
