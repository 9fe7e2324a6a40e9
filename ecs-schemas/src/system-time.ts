/**
 * Takes `TimeCreated/@SystemTime` as Windows prints it, gives Unix milliseconds.
 * Keeps: digits past the millisecond are cut, never rounded, so that every reader of one record agrees.
 */

const SYSTEM_TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;

/** Events of one second stand together: the second of the last time is remembered. */
let lastText = '';
let lastMs: number | undefined;

/** Unix milliseconds of a second, `2026-03-02T06:00:00`. */
function secondMs(text: string): number | undefined {
  if (text === lastText) return lastMs;
  const seconds = Date.parse(`${text}Z`);
  lastText = text;
  lastMs = Number.isNaN(seconds) || seconds < 0 ? undefined : seconds;
  return lastMs;
}

/** Unix milliseconds of a UTC time with 0 to 9 fraction digits, or undefined if the text is no such time. */
export function systemTimeMs(text: string): number | undefined {
  const match = SYSTEM_TIME.exec(text);
  if (match === null) return undefined;
  const seconds = secondMs(match[1] ?? '');
  if (seconds === undefined) return undefined;
  return seconds + Number((match[2] ?? '').padEnd(3, '0').slice(0, 3));
}
