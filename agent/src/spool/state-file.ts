/**
 * Takes a small value, keeps it in a JSON file; gives it back after any crash.
 * Keeps: whenever the machine stops, the file or the one before it (`.old`) is whole. NULs, garbage or half a file never stop
 * a start: what cannot be read is logged, and the older value (or none) is used.
 */
import { readFileSync } from 'node:fs';
import { type Log, replaceFile } from '@launchbeat/ecs-schemas/beat';
import type { z } from 'zod';

/** A state file is far smaller; what is larger is not one of ours. */
const FILE_CHARACTERS_MAX = 1024 * 1024;

type Reading =
  | { readonly outcome: 'done'; readonly value: unknown }
  | { readonly outcome: 'absent' }
  | { readonly outcome: 'refused'; readonly reason: string };

function readJson(file: string): Reading {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    return code === 'ENOENT' ? { outcome: 'absent' } : { outcome: 'refused', reason: `${code}` };
  }
  if (text.length > FILE_CHARACTERS_MAX) return { outcome: 'refused', reason: 'it is too large' };
  if (text.includes('\0')) return { outcome: 'refused', reason: 'it holds NUL bytes' };
  try {
    return { outcome: 'done', value: JSON.parse(text) as unknown };
  } catch {
    return { outcome: 'refused', reason: 'it is not JSON' };
  }
}

/** Reads a state file, or the one before it; undefined when neither is there and whole. */
export function readStateFile<T>(file: string, schema: z.ZodType<T>, log: Log): T | undefined {
  for (const path of [file, `${file}.old`]) {
    const reading = readJson(path);
    if (reading.outcome === 'absent') continue;
    const parsed = reading.outcome === 'done' ? schema.safeParse(reading.value) : undefined;
    if (parsed?.success === true) return parsed.data;
    const reason =
      reading.outcome === 'refused' ? reading.reason : 'it does not hold what it should';
    log.warn(
      { 'file.path': path },
      `State file cannot be used: ${reason}. The one before it is tried.`,
    );
  }
  return undefined;
}

/**
 * Writes a state file; the value before stays as `.old`. Throws when the value may not be on disk; then the file (or `.old`) still
 * holds the value before.
 */
export function writeStateFile(file: string, value: unknown): void {
  // A file that cannot be read must not push the good one before it away.
  const keeps = readJson(file).outcome === 'done';
  const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
  replaceFile(file, bytes, keeps ? { keepAs: `${file}.old` } : {});
}
