/**
 * Takes a value and its column, gives the text that Kibana would show with its default settings; times in UTC.
 */
import moment from 'moment';
import type { Cell, PreviewColumn } from '../preview-model.ts';

/** `dateFormat` of Kibana's advanced settings. */
const DATE_FORMAT = 'MMM D, YYYY @ HH:mm:ss.SSS';
/** `dateFormat:scaled` for buckets of a minute and more. */
const scaled = (interval: string): string =>
  interval.endsWith('d') ? 'YYYY-MM-DD' : 'YYYY-MM-DD HH:mm';

const patternOf = ({ interval, pattern }: PreviewColumn): string =>
  interval === undefined ? (pattern ?? DATE_FORMAT) : scaled(interval);

export const numberText = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: 3 });

const DURATIONS: readonly (readonly [lengthMs: number, unit: string])[] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
];
const BYTES = ['B', 'KB', 'MB', 'GB'] as const;

/** As Kibana's duration format "human-readable, precise" with one decimal and short units. */
function durationText(ms: number): string {
  const [length, unit] = DURATIONS.find(([one]) => Math.abs(ms) >= one) ?? [1, 'ms'];
  return `${(ms / length).toFixed(1)} ${unit}`;
}

function bytesText(bytes: number): string {
  const step = bytes < 1 ? 0 : Math.min(3, Math.floor(Math.log2(bytes) / 10));
  return `${numberText(Math.round((bytes / 1024 ** step) * 10) / 10)} ${BYTES[step]}`;
}

/** A number as its field is written. */
export function figureText(value: number, column: PreviewColumn | undefined): string {
  if (column?.decimals !== undefined)
    return value.toLocaleString('en-US', { maximumFractionDigits: column.decimals });
  if (column?.format === 'duration') return durationText(value);
  return column?.format === 'bytes' ? bytesText(value) : numberText(value);
}

export const timeOf = (value: Cell): number =>
  typeof value === 'number' ? value : Date.parse(value ?? '');

export function cellText(value: Cell | undefined, column: PreviewColumn): string {
  if (value === null || value === undefined || value === '') return '-';
  if (column.isTime) return moment.utc(timeOf(value)).format(patternOf(column));
  if (typeof value === 'number') return figureText(value, column);
  if (column.format !== undefined && /^-?\d+$/.test(value))
    return figureText(Number(value), column);
  if (column.words === undefined) return value;
  const worded = (text: string, divider: string): string =>
    text
      .split(divider)
      .map((one) => column.words?.[one] ?? one)
      .join(divider);
  return value.includes(' › ') ? worded(value, ' › ') : worded(value, ', ');
}
