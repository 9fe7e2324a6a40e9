/**
 * Gives the key of this installation under which redacted secrets are marked: 32 bytes of chance made at the first start, kept in
 * `redaction-key.json` of the data folder, readable for the agent's account alone.
 * Keeps: the key stays, so that equal secrets have equal marks for as long as the data folder lives; it never leaves the PC.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readStateFile, writeStateFile } from './state-file.ts';

const KEY_BYTES = 32;
const keySchema = z.object({ key: z.base64().transform((text) => Buffer.from(text, 'base64')) });

/** Reads the key from the data folder, or makes it. Throws when a new one cannot be stored. */
export function redactionKey(folder: string, log: Log): Uint8Array {
  const file = join(folder, 'redaction-key.json');
  const known = readStateFile(file, keySchema, log);
  if (known !== undefined && known.key.length === KEY_BYTES) return known.key;
  const made = randomBytes(KEY_BYTES);
  writeStateFile(file, { key: made.toString('base64') });
  // Written twice: from now on the file and the one before it both hold the key.
  writeStateFile(file, { key: made.toString('base64') });
  log.info(
    { 'file.path': file },
    'A new key marks redacted secrets; marks of before cannot be joined with new ones.',
  );
  return made;
}
