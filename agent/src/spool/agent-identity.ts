/**
 * Gives this agent's id: a UUID made at its first start, kept in `agent.json` of the data folder.
 * Keeps: the id stays the same for ever, since keys are bound to it.
 */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readStateFile, writeStateFile } from './state-file.ts';

const identitySchema = z.object({ id: z.uuid() });

/** The id, if there was a first start. Makes nothing. */
export function knownIdentity(folder: string, log: Log): { readonly id: string } | undefined {
  return readStateFile(join(folder, 'agent.json'), identitySchema, log);
}

/** Reads the id from the data folder, or makes it. Throws when a new one cannot be stored. */
export function agentIdentity(folder: string, log: Log): { readonly id: string } {
  const file = join(folder, 'agent.json');
  const known = readStateFile(file, identitySchema, log);
  if (known !== undefined) return { id: known.id };
  const made = { id: randomUUID() };
  writeStateFile(file, made);
  // Written twice: from now on the file and the one before it both hold the id.
  writeStateFile(file, made);
  log.info({ 'agent.id': made.id, 'file.path': file }, 'Agent has a new id.');
  return made;
}
