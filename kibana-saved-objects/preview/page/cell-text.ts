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

export const timeOf = (value: Cell): number =>
  typeof value === 'number' ? value : Date.parse(value ?? '');

export function cellText(value: Cell | undefined, column: PreviewColumn): string {
  if (value === null || value === undefined || value === '') return '-';
  if (column.isTime) return moment.utc(timeOf(value)).format(patternOf(column));
  if (typeof value === 'number') return numberText(value);
  if (column.words === undefined) return value;
  return value
    .split(', ')
    .map((one) => column.words?.[one] ?? one)
    .join(', ');
}
