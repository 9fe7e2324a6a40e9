/**
 * Takes the end of a month, gives the process starts of an invented office in it: 50 PCs, their people, their habits and a few
 * things that an analyst should find. For tests and demonstrations of dashboards.
 * Keeps: the same end gives the same documents; each passes `processStartSchema`.
 */
import { win32 } from 'node:path';
import {
  DATA_STREAM_TYPE,
  DATASET,
  ECS_VERSION,
  eventId,
  type ProcessStart,
} from '@launchbeat/ecs-schemas';
import { BY_SYSTEM, EVERYDAY, type ProgramStart, RARITIES } from './programs.ts';

export interface OfficeOptions {
  /** The last moment of the month. */
  readonly end: Date;
  /** Data stream namespace that the documents name. */
  readonly namespace: string;
}

const PCS = 50;
const DAYS = 30;
const STARTS_A_DAY_MIN = 5;
const STARTS_A_DAY_MAX = 12;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const MORNING_MINUTES = 8 * 60;
const WORKDAY_MINUTES = 10 * 60;
/** Share of days on which somebody works at a neighbour's PC. */
const ELSEWHERE = 0.02;
const PROVIDER_GUID = '{54849625-5478-4994-a5ba-3e3b0328c30d}';
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
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Person {
  readonly sid: string;
  readonly name: string;
  readonly domain: string;
}

const SYSTEM: Person = { sid: 'S-1-5-18', name: 'СИСТЕМА', domain: 'NT AUTHORITY' };

const personOf = (pc: number): Person => ({
  sid: `S-1-5-21-1004336348-1177238915-682003330-${1101 + pc}`,
  name: `${SURNAMES[pc % SURNAMES.length]}${Math.floor(pc / SURNAMES.length) || ''}`,
  domain: 'ACME',
});

const hostOf = (pc: number): string => `PC-${String(pc + 1).padStart(3, '0')}`;

/** An id that looks like an agent's and follows from the PC. */
const agentIdOf = (pc: number): string =>
  `6f1c1f5e-7d9d-4f3e-9d39-${String(pc + 1).padStart(12, '0')}`;

interface Moment {
  readonly timeMs: number;
  readonly pc: number;
  readonly person: Person;
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

function processOf({ start }: Moment, record: number): ProcessStart['process'] {
  const commandLine =
    start.args === '' ? `"${start.executable}"` : `"${start.executable}" ${start.args}`;
  const args = [start.executable, ...start.args.split(' ').filter((one) => one !== '')];
  return {
    pid: 1000 + ((record * 4) % 60_000),
    executable: start.executable,
    name: win32.basename(start.executable),
    command_line: commandLine,
    args,
    args_count: args.length,
    parent: {
      pid: 900 + ((record * 4) % 5000),
      executable: start.parent,
      name: win32.basename(start.parent),
    },
  };
}

function eventOf(computer: string, time: string, record: number): ProcessStart['event'] {
  const key = {
    computer,
    channel: 'Security',
    providerGuid: PROVIDER_GUID,
    recordId: String(record),
    timeMs: Date.parse(time),
    eventCode: '4688',
  };
  return {
    id: eventId(key),
    code: '4688',
    kind: 'event',
    module: 'security',
    provider: 'Microsoft-Windows-Security-Auditing',
    action: 'created-process',
    category: ['process'],
    type: ['start'],
    outcome: 'success',
    created: time,
    sequence: record,
  };
}

function winlogOf(
  { start, person }: Moment,
  computer: string,
  record: number,
): ProcessStart['winlog'] {
  const elevation = start.elevated === true ? '%%1937' : person === SYSTEM ? '%%1936' : '%%1938';
  const level = person === SYSTEM ? '16384' : start.elevated === true ? '12288' : '8192';
  return {
    channel: 'Security',
    computer_name: computer,
    provider_name: 'Microsoft-Windows-Security-Auditing',
    provider_guid: PROVIDER_GUID,
    record_id: String(record),
    event_id: '4688',
    version: 2,
    logon: { id: '0x3e7a1' },
    event_data: { TokenElevationType: elevation, MandatoryLabel: `S-1-16-${level}` },
  };
}

function launchbeatOf({ start, person }: Moment, units: number): ProcessStart['launchbeat'] {
  return {
    ...(start.program === undefined ? {} : { program: start.program }),
    launch: start.launch !== false && person !== SYSTEM,
    actor: { id: person.sid, name: person.name, domain: person.domain },
    ...(start.flags === undefined ? {} : { flags: [...start.flags] }),
    pair: `${win32.basename(start.parent)} > ${win32.basename(start.executable)}`,
    executable_dir: win32.dirname(start.executable),
    command_line_length: units,
    ...(start.redacted === undefined ? {} : { redacted: start.redacted }),
  };
}

function documentOf(moment: Moment, record: number, namespace: string): ProcessStart {
  const computer = hostOf(moment.pc);
  const time = new Date(moment.timeMs).toISOString();
  const process = processOf(moment, record);
  const { sid, name, domain } = moment.person;
  return {
    '@timestamp': time,
    'ecs.version': ECS_VERSION,
    agent: { id: agentIdOf(moment.pc), name: computer, type: 'launchbeat', version: '0.1.0' },
    data_stream: { type: DATA_STREAM_TYPE, dataset: DATASET, namespace },
    event: eventOf(computer, time, record),
    host: { name: computer, os: { type: 'windows' } },
    process,
    related: { user: [name], hosts: [computer] },
    user: { id: sid, name, domain },
    winlog: winlogOf(moment, computer, record),
    launchbeat: launchbeatOf(moment, process.command_line?.length ?? 0),
  };
}

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
    .filter(({ timeMs }) => timeMs <= endMs)
    .sort((a, b) => a.timeMs - b.timeMs)
    .map((moment, index) => documentOf(moment, index + 1, namespace));
}
