/**
 * Who works in the invented office, on which PC, with which agent; and its random numbers.
 */
import type { Account } from './start-document.ts';

export const PCS = 50;
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
/** When people come, and how long they stay, UTC. */
export const MORNING_MINUTES = 8 * 60;
export const WORKDAY_MINUTES = 10 * 60;

export interface OfficeOptions {
  /** The last moment of the month. */
  readonly end: Date;
  /** Data stream namespace that the documents name. */
  readonly namespace: string;
}

const SURNAMES = [
  'Иванов',
  'Петрова',
  'Сидоров',
  'Кузнецова',
  'Смирнов',
  'Попова',
  'Васильев',
  'Соколова',
  'Михайлов',
  'Новикова',
] as const;

/** Random numbers in [0, 1) that follow from a seed (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export const SYSTEM: Account = { id: 'S-1-5-18', name: 'СИСТЕМА', domain: 'NT AUTHORITY' };

/** Whose PC it is. */
export const personOf = (pc: number): Account => ({
  id: `S-1-5-21-1004336348-1177238915-682003330-${1101 + pc}`,
  name: `${SURNAMES[pc % SURNAMES.length]}${Math.floor(pc / SURNAMES.length) || ''}`,
  domain: 'ACME',
});

export const hostOf = (pc: number): string => `PC-${String(pc + 1).padStart(3, '0')}`;

/** An id that looks like an agent's and follows from the PC. */
export const agentIdOf = (pc: number): string =>
  `6f1c1f5e-7d9d-4f3e-9d39-${String(pc + 1).padStart(12, '0')}`;

/** Most PCs have the newest agent, some the one before, two an old one that was forgotten. */
export const versionOf = (pc: number): string =>
  pc % 25 === 24 ? '0.0.7' : pc % 6 === 5 ? '0.0.9' : '0.1.0';

/** A PC that has been silent for five hours when the month ends. */
export const SILENT_PC = 12;
export const SILENT_FOR_MS = 5 * HOUR_MS;
