/**
 * zod pieces for values that configs have in common: durations, sizes, lists, secrets.
 * Takes what an operator writes (`10s`, `16MiB`), gives what code uses (milliseconds, bytes).
 */
import { z } from 'zod';

const DURATION_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const SIZE_BYTES: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
};

const DURATION = 'Expected a duration with a unit, such as 500ms, 10s, 5m, 24h or 7d';
const SIZE = 'Expected a size such as 512KiB, 16MiB or 10GB';

/** A duration with a unit, `500ms`, `10s`, `5m`, `24h`, `7d` or `0`; gives milliseconds. The default is written likewise. */
export function duration(defaultText: string) {
  return z
    .union([z.string(), z.literal(0)], DURATION)
    .default(defaultText)
    .transform((value, context) => {
      const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(String(value).trim());
      if (value === 0 || value === '0') return 0;
      if (match !== null) return Number(match[1]) * (DURATION_MS[match[2] ?? ''] ?? 0);
      context.addIssue({ code: 'custom', message: DURATION });
      return z.NEVER;
    });
}

/** A size with a unit, `512KiB`, `16MiB`, `10GB`, or plain bytes; gives bytes. */
export function byteSize(defaultText: string) {
  return z
    .union([z.string(), z.int().nonnegative()], SIZE)
    .default(defaultText)
    .transform((value, context) => {
      const match = /^(\d+(?:\.\d+)?)\s*(b|kb|mb|gb|kib|mib|gib)?$/i.exec(String(value).trim());
      if (match !== null)
        return Math.floor(Number(match[1]) * (SIZE_BYTES[(match[2] ?? 'b').toLowerCase()] ?? 1));
      context.addIssue({ code: 'custom', message: SIZE });
      return z.NEVER;
    });
}

/** A list of strings; one string with commas is taken as a list, as in Beats (`-E key=a,b`). */
export function stringList(defaults: readonly string[] = []) {
  return z
    .union([z.array(z.string()), z.string()])
    .default([...defaults])
    .transform((value) =>
      typeof value === 'string'
        ? value
            .split(',')
            .map((part) => part.trim())
            .filter((part) => part !== '')
        : value,
    );
}

/** An IANA time zone that this Node knows, e.g. `Europe/Moscow`. */
export const timeZone = z.string().refine((zone) => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}, 'Expected an IANA time zone such as UTC or Europe/Moscow');

/** An http or https URL. */
export const httpUrl = z.url({
  protocol: /^https?$/,
  error: 'Expected a URL that begins with http:// or https://',
});

/** A text that may be left out; empty counts as left out, so that `${NAME:}` works. */
export const optionalText = z
  .string()
  .nullish()
  .transform((value) => (value === null || value === '' ? undefined : value));
