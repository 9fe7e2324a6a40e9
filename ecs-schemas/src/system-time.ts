/**
 * Takes `TimeCreated/@SystemTime` as Windows prints it, gives Unix milliseconds.
 * Keeps: digits past the millisecond are cut, never rounded, so that every reader of one record agrees.
 */

/** The form alone; whether there is such a day and hour is asked next. */
const SYSTEM_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?Z$/;
const DAY_CHARACTERS = 10;
const HOUR_AT = 11;
const MINUTE_AT = 14;
const SECOND_AT = 17;
const FRACTION_AT = 20;
const ZERO = 0x30;

/** Events of one day stand together: the day of the last time is remembered. */
let lastDay = '';
let lastDayMs: number | undefined;

/** Unix milliseconds of the beginning of a day, `2026-03-02`; undefined: there is no such day, or it was before 1970. */
function dayMs(text: string): number | undefined {
  if (text === lastDay) return lastDayMs;
  const ms = Date.parse(`${text}T00:00:00Z`);
  lastDay = text;
  lastDayMs = Number.isNaN(ms) || ms < 0 ? undefined : ms;
  return lastDayMs;
}

/** The number of a decimal digit, 0 where the text has ended. */
function digitAt(text: string, at: number): number {
  const code = text.charCodeAt(at) - ZERO;
  return code >= 0 && code <= 9 ? code : 0;
}

const twoDigitsAt = (text: string, at: number): number =>
  digitAt(text, at) * 10 + digitAt(text, at + 1);

/**
 * Unix milliseconds of a UTC time with 0 to 9 fraction digits, or undefined if the text is no such time.
 * Read digit by digit, since each document has several times: a match with groups and Date.parse() took ten times as long.
 */
export function systemTimeMs(text: string): number | undefined {
  if (!SYSTEM_TIME.test(text)) return undefined;
  const day = dayMs(text.slice(0, DAY_CHARACTERS));
  const hour = twoDigitsAt(text, HOUR_AT);
  const minute = twoDigitsAt(text, MINUTE_AT);
  const second = twoDigitsAt(text, SECOND_AT);
  if (day === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  const fraction =
    digitAt(text, FRACTION_AT) * 100 +
    digitAt(text, FRACTION_AT + 1) * 10 +
    digitAt(text, FRACTION_AT + 2);
  return day + ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
}
