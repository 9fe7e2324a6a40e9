/** Writes what is said of an event as JSON that PostgreSQL takes. */
import type { Said } from '../assess/track-hits.ts';
import { storableText } from './storable-text.ts';

export function saidJson(said: Said): string {
  const fields = Object.entries(said.fields).map(([name, text]) => [name, storableText(text)]);
  return JSON.stringify({ ...said, fields: Object.fromEntries(fields) });
}
