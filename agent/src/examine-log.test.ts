/**
 * Goal: who looks at one PC, and who looks at the fleet, see the same of its log. Method: standings of a log, as doctor's rows and as
 * the check-in that the collector parses.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { checkInSchema } from '@launchbeat/ecs-schemas';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { type LogStanding, logStandingSchema } from './capture/log-standing.ts';
import { examineLog, examineSource } from './examine-log.ts';
import { logLagMs, logReport } from './log-report.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');
const HOUR = 3_600_000;
const MIB = 1024 * 1024;

const WELL: LogStanding = {
  ...{ atMs: NOW - 10_000, readable: true, processCreation: true, commandLine: true },
  ...{ auditedAtMs: NOW - HOUR, polling: false, bytes: 190 * MIB, bytesMax: 192 * MIB },
  ...{ mode: 'overwrite', full: false, oldestAtMs: NOW - 200 * HOUR, newestAtMs: NOW - 1000 },
  ...{ oldestId: 100, newestId: 90_000, scannedId: 90_000, lastStartAtMs: NOW - 9000 },
};

/** State, detail and mend of a row. */
function row(log: LogStanding | undefined, check: string): string {
  const found = examineLog(log, NOW).find((one) => one.check === check);
  return found === undefined ? '' : `${found.state} ${found.detail}; ${found.mend ?? ''}`;
}

test('a log that is well has no row that is not', () => {
  const states = examineLog(WELL, NOW).map(({ state }) => state);
  assert.deepEqual(states, ['ok', 'ok', 'ok', 'ok', 'ok', 'ok']);
  assert.match(row(WELL, 'auditing'), /process starts are logged, tried 60 min ago/);
  assert.match(row(WELL, 'log size'), /190 of 192 MiB, when full: overwrite/);
  assert.match(row(WELL, 'log reach'), /oldest record 8 days older/);
});

test('of forwarded events nothing is said that only the own log of a PC could tell', (t) => {
  const folder = temporaryFolder(t);
  const standing = { ...WELL, atMs: Date.now(), bytesMax: 20 * MIB };
  writeFileSync(join(folder, 'log-state.json'), JSON.stringify(standing));
  const rows = examineSource('forwarded-events', folder);
  assert.deepEqual(
    rows.map(({ check }) => check),
    ['log access', 'log size', 'log reach', 'log lag'],
  );
  assert.match(rows[1]?.mend ?? '', /wevtutil sl ForwardedEvents/);
  assert.equal(examineSource('security-log', folder).length, 6);
  assert.deepEqual(examineSource('replay', folder), []);
});

test('before the first look nothing is claimed', () => {
  assert.match(row(undefined, 'auditing'), /^warn not known: .*; Start the agent/);
  const young = examineLog({ atMs: NOW }, NOW).map(({ state }) => state);
  assert.ok(!young.includes('fail'));
});

const ILLS: readonly (readonly [Partial<LogStanding>, string, RegExp])[] = [
  [{ readable: false }, 'log access', /^fail denied.*Event Log Readers/],
  [{ atMs: NOW - HOUR }, 'log access', /^warn was read last 60 min ago/],
  [
    { processCreation: false },
    'auditing',
    /^fail process starts are not logged, tried .*audit-policy/,
  ],
  [{ processCreation: false, polling: true }, 'auditing', /^fail .*process-poll stands in/],
  [{ commandLine: false }, 'command lines', /^fail are not logged/],
  [{ mode: 'keep' }, 'log size', /^warn .*overwrite events as needed/],
  [{ mode: 'keep', full: true }, 'log size', /^fail/],
  [{ bytesMax: 20 * MIB }, 'log size', /^warn .*wevtutil sl Security/],
  [{ oldestAtMs: NOW - 5 * HOUR }, 'log reach', /^warn oldest record 5 h older/],
  [{ scannedId: 10_000 }, 'log lag', /^warn 80000 records not read yet/],
];

for (const [ill, check, expected] of ILLS) {
  test(`row "${check}" tells ${JSON.stringify(ill)}`, () => {
    assert.match(row({ ...WELL, ...ill }, check), expected);
  });
}

test('a young log that is not full yet is no log that reaches too little', () => {
  const young = { ...WELL, oldestAtMs: NOW - HOUR, bytes: 5 * MIB };
  assert.match(row(young, 'log reach'), /^ok/);
});

test('the lag is that of the spool when all is read, else up to the newest record', () => {
  assert.equal(logLagMs(WELL, 0), 0);
  assert.equal(logLagMs(WELL, 7000), 7000);
  assert.equal(logLagMs({ ...WELL, scannedId: 80_000, lastStartAtMs: NOW - HOUR }, 0), HOUR - 1000);
  assert.equal(logLagMs({ atMs: NOW }, 0), undefined);
});

test('a check-in tells all of it, and the collector takes it; what is not known is absent', () => {
  const base = {
    ...{ agent_id: crypto.randomUUID(), ephemeral_id: crypto.randomUUID(), sequence: 1 },
    ...{ sent_at: '2026-11-23T12:00:00.000Z', started_at: '2026-11-23T11:00:00.000Z' },
    ...{ host: { name: 'pc' }, lag_ms: 0 },
    spool: { pending_bytes: 0, bytes: 0, segments: 0, bytes_max: 0 },
  };
  const sent = (log: LogStanding): unknown =>
    JSON.parse(JSON.stringify({ ...base, ...logReport(log, 0) }));
  const whole = checkInSchema.parse(sent(WELL));
  assert.deepEqual(whole.auditing, { process_creation: true, command_line: true });
  assert.deepEqual(
    [whole.log?.mode, whole.log?.bytes_max, whole.log?.records_behind, whole.log?.lag_ms],
    ['overwrite', 192 * MIB, 0, 0],
  );
  const empty = checkInSchema.parse(sent({ atMs: NOW }));
  assert.deepEqual([empty.auditing, empty.log], [{}, { at: '2026-11-23T12:00:00.000Z' }]);
});

test('a standing outlives the file that it is kept in', () => {
  assert.deepEqual(logStandingSchema.parse(JSON.parse(JSON.stringify(WELL))), WELL);
});
