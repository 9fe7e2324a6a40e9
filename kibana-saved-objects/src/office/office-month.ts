/**
 * Takes the end of a month, gives the process starts of an invented office in it: 50 PCs, their people, their habits and a few
 * things that an analyst should find. For tests and demonstrations of dashboards.
 * Keeps: the same end gives the same documents; each passes `processStartSchema`.
 */
import type { ProcessStart } from '@launchbeat/ecs-schemas';
import { BY_SYSTEM, EVERYDAY, type ProgramStart, RARITIES } from './programs.ts';
import {
  agentIdOf,
  DAY_MS,
  hostOf,
  MINUTE_MS,
  MORNING_MINUTES,
  type OfficeOptions,
  PCS,
  personOf,
  randomFrom,
  SILENT_FOR_MS,
  SILENT_PC,
  SYSTEM,
  versionOf,
  WORKDAY_MINUTES,
} from './staff.ts';
import { type Account, startDocument } from './start-document.ts';

const DAYS = 30;
const STARTS_A_DAY_MIN = 5;
const STARTS_A_DAY_MAX = 12;
/** Share of days on which somebody works at a neighbour's PC. */
const ELSEWHERE = 0.02;

interface Moment {
  readonly timeMs: number;
  readonly pc: number;
  readonly person: Account;
  readonly start: ProgramStart;
}

function pick(random: () => number): ProgramStart {
  const total = EVERYDAY.reduce((sum, [weight]) => sum + weight, 0);
  let left = random() * total;
  const found = EVERYDAY.find(([weight]) => {
    left -= weight;
    return left < 0;
  });
  return (found ?? (EVERYDAY[0] as (typeof EVERYDAY)[number]))[1];
}

function workingDay(midnightMs: number, pc: number, random: () => number): Moment[] {
  const isWeekend = [0, 6].includes(new Date(midnightMs).getUTCDay());
  const moments: Moment[] = BY_SYSTEM.map((start) => ({
    timeMs: midnightMs + Math.floor(random() * DAY_MS),
    pc,
    person: SYSTEM,
    start,
  }));
  if (isWeekend && random() > 0.05) return moments;
  const starts =
    STARTS_A_DAY_MIN + Math.floor(random() * (STARTS_A_DAY_MAX - STARTS_A_DAY_MIN + 1));
  const at = random() < ELSEWHERE ? (pc + 7) % PCS : pc;
  for (let index = 0; index < starts; index += 1) {
    const minutes = MORNING_MINUTES + random() * WORKDAY_MINUTES;
    moments.push({
      timeMs: midnightMs + Math.floor(minutes * MINUTE_MS),
      pc: at,
      person: personOf(pc),
      start: pick(random),
    });
  }
  return moments;
}

function rarities(endMs: number, random: () => number): Moment[] {
  return RARITIES.map((start) => {
    const pc = Math.floor(random() * PCS);
    const timeMs = endMs - Math.floor(random() * 6 * DAY_MS) - MINUTE_MS;
    return { timeMs, pc, person: personOf(pc), start };
  });
}

function documentOf(moment: Moment, record: number, namespace: string): ProcessStart {
  const { pc, person, start, timeMs } = moment;
  const isElevated = start.elevated === true;
  const isSystem = person === SYSTEM;
  return startDocument({
    time: new Date(timeMs).toISOString(),
    recordId: record,
    namespace,
    host: hostOf(pc),
    computer: hostOf(pc),
    agent: { id: agentIdOf(pc), name: hostOf(pc), version: versionOf(pc) },
    account: person,
    executable: start.executable,
    pid: 1000 + ((record * 4) % 60_000),
    args: start.args,
    parent: { executable: start.parent, pid: 900 + ((record * 4) % 5000) },
    program: start.program,
    launch: start.launch !== false && !isSystem,
    flags: start.flags,
    redacted: start.redacted,
    elevation: isElevated ? '%%1937' : isSystem ? '%%1936' : '%%1938',
    integrity: `S-1-16-${isSystem ? '16384' : isElevated ? '12288' : '8192'}`,
  });
}

/** The silent PC sends no more; what an analyst should find stays. */
const isSent = ({ timeMs, pc, start }: Moment, endMs: number): boolean =>
  timeMs <= endMs &&
  (pc !== SILENT_PC || timeMs < endMs - SILENT_FOR_MS || RARITIES.includes(start));

/** All documents of the month, oldest first. */
export function officeMonth({ end, namespace }: OfficeOptions): ProcessStart[] {
  const random = randomFrom(4688);
  const endMs = end.getTime();
  const lastMidnight = Math.floor(endMs / DAY_MS) * DAY_MS;
  const moments: Moment[] = rarities(endMs, random);
  for (let day = DAYS - 1; day >= 0; day -= 1) {
    for (let pc = 0; pc < PCS; pc += 1) {
      moments.push(...workingDay(lastMidnight - day * DAY_MS, pc, random));
    }
  }
  return moments
    .filter((moment) => isSent(moment, endMs))
    .sort((a, b) => a.timeMs - b.timeMs)
    .map((moment, index) => documentOf(moment, index + 1, namespace));
}
