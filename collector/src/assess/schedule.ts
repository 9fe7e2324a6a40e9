/**
 * Takes days, hours and holidays as an operator writes them, gives a test of moments.
 * Keeps: pure, and right on days when the clock is set forward or back: what counts is what a clock on the wall shows.
 */
import { timeZone } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** Zones change their offset at a quarter of an hour of UTC, if at all. */
const SLOT_MS = 15 * MINUTE_MS;
const SLOTS_MAX = 2000;
/** 1970-01-01 was a Thursday. */
const FIRST_DAY = 4;

/** A moment of a day on the wall clock. */
export const hour = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'Expected an hour such as "08:30"');

/** Keys of a schedule; all of them may be left out. */
export const scheduleKeys = {
  /** Days on which it begins; absent = every day. */
  days: z.array(z.enum(DAYS)).min(1).optional(),
  /** First minute. */
  from: hour.default('00:00'),
  /** The minute after the last; not after `from` = on the next day. */
  to: hour.default('00:00'),
  /** Absent = the zone of the file. */
  time_zone: timeZone.optional(),
  /** Days on which it does not begin: a date, or month and day of every year. */
  holidays: z
    .array(
      z
        .string()
        .regex(
          /^(\d{4}-)?(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/,
          'Expected a date such as "2027-01-01" or "01-01"',
        ),
    )
    .default([]),
};

type ScheduleConfig = z.infer<z.ZodObject<typeof scheduleKeys>>;

/** Whether a moment (Unix milliseconds) lies within. */
export type Schedule = (timeMs: number) => boolean;

/** Makes the test; `zone` is that of the file. */
function createSchedule(config: ScheduleConfig, zone: string): Schedule {
  const wallTime = createWallTime(config.time_zone ?? zone);
  const days = new Set((config.days ?? DAYS).map((day) => DAYS.indexOf(day)));
  const holidays = new Set(config.holidays);
  const [from, to] = [minuteOf(config.from), minuteOf(config.to)];

  /** Whether it begins on the day (days since 1970 of the wall clock). */
  function begins(day: number): boolean {
    if (!days.has((((day + FIRST_DAY) % 7) + 7) % 7)) return false;
    if (holidays.size === 0) return true;
    const date = new Date(day * DAY_MS).toISOString().slice(0, 10);
    return !holidays.has(date) && !holidays.has(date.slice(5));
  }

  return (timeMs) => {
    const wallMs = wallTime(timeMs);
    const day = Math.floor(wallMs / DAY_MS);
    const minute = Math.floor((wallMs - day * DAY_MS) / MINUTE_MS);
    if (from < to) return minute >= from && minute < to && begins(day);
    return minute >= from ? begins(day) : minute < to && begins(day - 1);
  };
}

/** A schedule that may hold the other way round. */
export type RuleScheduleConfig = ScheduleConfig & {
  /** It holds whenever it would not. */
  readonly outside: boolean;
};

/** Makes the test of a rule's schedule; `zone` is that of the file. */
export function createRuleSchedule(config: RuleScheduleConfig, zone: string): Schedule {
  const within = createSchedule(config, zone);
  return config.outside ? (timeMs) => !within(timeMs) : within;
}

/** Minute of the day of an hour such as 08:30. */
export function minuteOf(text: string): number {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  return hours * 60 + minutes;
}

/** Makes the reading of a zone's wall clock: Unix milliseconds in, the same clock face as if it were UTC out. */
export function createWallTime(zone: string): (timeMs: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  // Asking Intl costs microseconds, and events come in the order of time.
  const offsets = new Map<number, number>();

  function offsetAt(slotMs: number): number {
    const part: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    for (const { type, value } of format.formatToParts(slotMs)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour: hours = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hours, minute, second) - slotMs;
  }

  return (timeMs) => {
    const slotMs = Math.floor(timeMs / SLOT_MS) * SLOT_MS;
    let offsetMs = offsets.get(slotMs);
    if (offsetMs === undefined) {
      offsetMs = offsetAt(slotMs);
      if (offsets.size >= SLOTS_MAX) offsets.clear();
      offsets.set(slotMs, offsetMs);
    }
    return timeMs + offsetMs;
  };
}
