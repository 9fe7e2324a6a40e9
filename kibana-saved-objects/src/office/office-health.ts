/**
 * Takes the end of a month, gives what a collector would have written of the health of the invented office's agents: their states,
 * what happened to them, and what waited on the server. Keeps: the same end gives the same documents; the last day is in steps of ten
 * minutes, the days before in steps of three hours, so that a month stays small.
 */
import { type FactLevel, type HealthRecord, writeHealthRecord } from '@launchbeat/ecs-schemas';
import {
  agentIdOf,
  DAY_MS,
  HOUR_MS,
  hostOf,
  MINUTE_MS,
  type OfficeOptions,
  PCS,
  randomFrom,
  SILENT_FOR_MS,
  SILENT_PC,
  versionOf,
} from './staff.ts';

const DAYS = 30;
const SPOOL_BYTES_MAX = 2 * 1024 ** 3;
/** PCs with a trouble of their own. */
const UNAUDITED_PC = 6;
const LAGGING_PC = 20;
const SKEWED_PC = 33;
const AWAY_FROM_HOUR = 20;
const AWAY_TO_HOUR = 6;

const faceOf = (pc: number) => ({
  ...{ id: agentIdOf(pc), name: hostOf(pc), host: hostOf(pc), version: versionOf(pc) },
  os: pc % 7 === 0 ? 'Windows 11 10.0.26100 x64' : 'Windows 10.0.19045 x64',
});

/** Most people shut their PC down at night and at weekends; every fifth PC runs on. */
function isOff(pc: number, timeMs: number, endMs: number): boolean {
  if (pc === SILENT_PC && timeMs > endMs - SILENT_FOR_MS) return true;
  if (pc % 5 === 0) return false;
  const time = new Date(timeMs);
  const isWeekend = [0, 6].includes(time.getUTCDay());
  const hour = time.getUTCHours();
  return isWeekend || hour >= AWAY_FROM_HOUR || hour < AWAY_TO_HOUR;
}

/** When a PC that is off was heard last. */
function lastHeardMs(pc: number, timeMs: number, endMs: number): number {
  let heardMs = timeMs;
  while (isOff(pc, heardMs, endMs)) heardMs -= 10 * MINUTE_MS;
  return heardMs;
}

function reasonsOf(pc: number, lagMs: number, timeMs: number, endMs: number): string[] {
  const isLastDays = endMs - timeMs < 3 * DAY_MS;
  return [
    ...(pc === UNAUDITED_PC && isLastDays ? ['auditing of process creation is off'] : []),
    ...(lagMs > 15 * MINUTE_MS
      ? [`oldest event waits for ${Math.round(lagMs / MINUTE_MS)} minutes`]
      : []),
    ...(pc === SKEWED_PC ? ['clock is 312 s ahead'] : []),
  ];
}

function stateOf(
  pc: number,
  timeMs: number,
  random: () => number,
  { end, namespace }: OfficeOptions,
): HealthRecord {
  const endMs = end.getTime();
  const at = new Date(timeMs);
  const isAway = isOff(pc, timeMs, endMs);
  const isLagging = pc === LAGGING_PC && endMs - timeMs < 9 * HOUR_MS;
  const lagMs = Math.round(
    isLagging ? 20 * MINUTE_MS + (timeMs % HOUR_MS) / 2 : random() ** 4 * 9000,
  );
  const pending = Math.round(isLagging ? lagMs * 700 : lagMs * 0.4);
  const reasons = isAway ? [] : reasonsOf(pc, lagMs, timeMs, endMs);
  const state = isAway ? 'offline' : reasons.length > 0 ? 'degraded' : 'healthy';
  const heardMs = isAway ? lastHeardMs(pc, timeMs, endMs) : timeMs - Math.floor(random() * 60_000);
  return writeHealthRecord({
    ...{ at, namespace, knownAt: at, agent: faceOf(pc), reason: reasons.join('; ') },
    key: ['agent', agentIdOf(pc)],
    action: 'agent-state',
    level: state === 'healthy' ? 'info' : 'warn',
    message: `${hostOf(pc)} is ${state}`,
    health: {
      record: 'agent',
      state,
      reasons,
      last_seen: new Date(heardMs).toISOString(),
      silent_ms: timeMs - heardMs,
      ...(isAway
        ? {}
        : {
            lag_ms: lagMs,
            clock_skew_ms: pc === SKEWED_PC ? 312_000 : Math.round(random() * 800 - 400),
            source: 'security-log',
            spool: {
              pending_bytes: pending,
              bytes: pending + 40_000_000,
              bytes_max: SPOOL_BYTES_MAX,
              segments: 3,
              used_percent: Math.round((100 * pending) / SPOOL_BYTES_MAX),
            },
            auditing: {
              process_creation: !(pc === UNAUDITED_PC && reasons.length > 0),
              command_line: true,
            },
            counters: { events: Math.floor((timeMs % DAY_MS) / 60_000) },
          }),
    },
  });
}

function serverAt(timeMs: number, random: () => number, options: OfficeOptions): HealthRecord {
  const at = new Date(timeMs);
  // Elasticsearch was away for two hours this morning.
  const awayMs = options.end.getTime() - timeMs - 9 * HOUR_MS;
  const chunks = awayMs > 0 && awayMs < 2 * HOUR_MS ? Math.round((2 * HOUR_MS - awayMs) / 6e4) : 0;
  return writeHealthRecord({
    ...{ at, knownAt: at, key: ['server'], namespace: options.namespace, level: 'info' },
    action: 'server-queues',
    message: `${chunks} chunks wait for Elasticsearch`,
    health: {
      record: 'server',
      queue: {
        ...{ chunks: chunks + Math.round(random()), bytes: chunks * 9000, lines: chunks * 60 },
        ...{ alerts: Math.round(random() * 2), reports: 0, dead_letters: 1 },
      },
    },
  });
}

interface Happening {
  readonly kind: string;
  readonly level: FactLevel;
  readonly reason: string;
  /** How often in the month. */
  readonly times: number;
  /** Always of this PC; else of any. */
  readonly pc?: number;
  /** Records that it is about, at most. */
  readonly records?: number;
  /** All of them within so long before the end; else more of late than before. */
  readonly withinMs?: number;
  readonly by?: 'collector';
}

const HAPPENINGS: readonly Happening[] = [
  { kind: 'restart', level: 'warn', reason: 'Reader ended with code 1 and began again', times: 60 },
  { kind: 'reader_warning', level: 'warn', reason: 'Log could not be read for 12 s', times: 18 },
  { kind: 'torn_line', level: 'warn', reason: 'Half a line cut after a crash', times: 9 },
  {
    ...{ kind: 'gap', level: 'error', times: 14, records: 900 },
    reason: 'Log rolled over while the PC was read too slowly',
  },
  {
    ...{ kind: 'log_cleared', level: 'error', times: 1, pc: 41, records: 40_000 },
    withinMs: 12 * HOUR_MS,
    reason: 'Security log was cleared by ACME\\Сидоров4 (event 1102)',
  },
  {
    ...{ kind: 'auditing', level: 'error', times: 2, pc: UNAUDITED_PC },
    reason: 'Auditing of process creation was switched off',
  },
  { kind: 'quarantine', level: 'error', reason: 'Line is no JSON: put aside', times: 6 },
  { kind: 'spool_full', level: 'warn', reason: 'Reading waits for room', times: 5, pc: LAGGING_PC },
  { kind: 'disk_refuses', level: 'warn', reason: 'ENOSPC: reading waits', times: 3 },
  {
    ...{ kind: 'clock_skew', level: 'warn', times: 40, pc: SKEWED_PC, by: 'collector' },
    reason: 'Clock of the PC is 312 s ahead',
  },
  {
    ...{ kind: 'cloned', level: 'error', times: 6, pc: 29, by: 'collector' },
    reason: 'Two processes check in under this id: PC-030 and PC-030-OLD',
  },
  {
    ...{ kind: 'foreign_host', level: 'error', times: 4, pc: 17, by: 'collector' },
    reason: 'Key is for pc-018, a line was of pc-099',
  },
  { kind: 'renamed', level: 'info', reason: 'PC-009 was PC-109', times: 1, pc: 8, by: 'collector' },
];

function factsOf(
  happening: Happening,
  random: () => number,
  { end, namespace }: OfficeOptions,
): HealthRecord[] {
  const { kind, level, reason, times, pc: always, records, by = 'agent' } = happening;
  return Array.from({ length: times }, (_, index) => {
    const withinMs = happening.withinMs ?? (DAYS - 1) * DAY_MS * random();
    const at = new Date(end.getTime() - MINUTE_MS - Math.floor(random() * withinMs));
    const pc = always ?? Math.floor(random() * PCS);
    const count = records === undefined ? 1 : 1 + Math.floor(random() * records);
    const from = 100_000 + Math.floor(random() * 900_000);
    return writeHealthRecord({
      ...{ at, knownAt: at, namespace, level, reason, action: kind, agent: faceOf(pc) },
      key: ['fact', agentIdOf(pc), `${kind}-${index}`],
      message: `${hostOf(pc)}: ${kind}: ${reason}`,
      health: {
        record: 'fact',
        fact: {
          ...{ kind, level, count, found_by: by },
          ...(records === undefined ? {} : { from, to: from + count - 1 }),
        },
      },
    });
  });
}

/** All documents on the health of the month, states first. */
export function officeHealth(options: OfficeOptions): HealthRecord[] {
  const random = randomFrom(1102);
  const endMs = options.end.getTime();
  const moments: number[] = [];
  for (let atMs = endMs - DAYS * DAY_MS; atMs < endMs - DAY_MS; atMs += 3 * HOUR_MS)
    moments.push(atMs);
  for (let atMs = endMs - DAY_MS; atMs <= endMs; atMs += 10 * MINUTE_MS) moments.push(atMs);
  const pcs = Array.from({ length: PCS }, (_, pc) => pc);
  return [
    ...moments.flatMap((timeMs) => [
      ...pcs.map((pc) => stateOf(pc, timeMs, random, options)),
      serverAt(timeMs, random, options),
    ]),
    ...HAPPENINGS.flatMap((happening) => factsOf(happening, random, options)),
  ];
}
