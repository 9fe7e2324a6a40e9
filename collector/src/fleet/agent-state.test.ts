/**
 * Goal: an agent's state follows from what is known of it and from nothing else, and a clone is told from a restart.
 * Method: the pure functions, with a time of the test's own.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AgentProcess, judgeProcesses } from './agent-processes.ts';
import { agentState, type Condition, degradedReasons } from './agent-state.ts';
import { isAllowedHost } from './allowed-host.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const OFFLINE_AFTER = 300_000;

for (const [standing, expected] of [
  [{ revoked: false, lastSeenMs: NOW, reasons: [] }, 'healthy'],
  [{ revoked: false, lastSeenMs: NOW, reasons: ['gap'] }, 'degraded'],
  [{ revoked: false, lastSeenMs: NOW - OFFLINE_AFTER, reasons: [] }, 'healthy'],
  [{ revoked: false, lastSeenMs: NOW - OFFLINE_AFTER - 1, reasons: ['gap'] }, 'offline'],
  [{ revoked: false, reasons: [] }, 'offline'],
  [{ revoked: true, lastSeenMs: NOW, reasons: [] }, 'revoked'],
] as const) {
  test(`agentState() of ${JSON.stringify(standing)} is ${expected}`, () => {
    assert.equal(agentState(standing, NOW, OFFLINE_AFTER), expected);
  });
}

const SPOOL = { pending_bytes: 0, bytes: 0, segments: 1, bytes_max: 1000 };
const WELL: Condition = {
  checkIn: { spool: SPOOL, lag_ms: 0, auditing: { process_creation: true, command_line: true } },
  clockSkewMs: 0,
  facts: [],
};

test('degradedReasons() finds nothing where all is well, nor where nothing is known', () => {
  assert.deepEqual(degradedReasons(WELL), []);
  assert.deepEqual(degradedReasons({ ...WELL, checkIn: { ...WELL.checkIn, auditing: {} } }), []);
  // A log that overwrites is always full.
  const log = { at: 'x', readable: true, polling: false, full: true, mode: 'overwrite' };
  assert.deepEqual(degradedReasons({ ...WELL, checkIn: { ...WELL.checkIn, log } }), []);
});

for (const [what, condition, reason] of [
  ['auditing is off', { checkIn: { auditing: { process_creation: false } } }, /auditing .* is off/],
  ['no command lines', { checkIn: { auditing: { command_line: false } } }, /command lines/],
  ['no right', { checkIn: { log: { at: 'x', readable: false } } }, /log cannot be read/],
  ['polling', { checkIn: { log: { at: 'x', polling: true } } }, /process-poll stands in/],
  ['a full log', { checkIn: { log: { at: 'x', full: true, mode: 'keep' } } }, /log is full/],
  ['the spool fills', { checkIn: { spool: { ...SPOOL, pending_bytes: 801 } } }, /80 % full/],
  ['events wait', { checkIn: { lag_ms: 16 * 60_000 } }, /waits for 16 minutes/],
  ['the clock is ahead', { clockSkewMs: 61_000 }, /61 s ahead/],
  ['the clock is behind', { clockSkewMs: -61_000 }, /61 s behind/],
  ['a loss', { facts: [{ kind: 'gap', level: 'error', count: 3 }] }, /gap in the last 24 h: 3/],
  ['restarts', { facts: [{ kind: 'restart', level: 'warn', count: 11 }] }, /restarted 11 times/],
] as const) {
  test(`degradedReasons() tells one reason: ${what}`, () => {
    const { checkIn = {}, ...rest } = condition as Partial<Condition>;
    const reasons = degradedReasons({ ...WELL, ...rest, checkIn: { ...WELL.checkIn, ...checkIn } });
    assert.equal(reasons.length, 1, reasons.join('; '));
    assert.match(reasons[0] ?? '', reason);
  });
}

test('degradedReasons() lets pass what is within bounds', () => {
  const checkIn = { ...WELL.checkIn, spool: { ...SPOOL, pending_bytes: 800 }, lag_ms: 900_000 };
  const facts = [{ kind: 'restart', level: 'warn', count: 10 }] as const;
  assert.deepEqual(degradedReasons({ checkIn, clockSkewMs: 60_000, facts }), []);
});

/** Judges check-ins in order: start, host, minutes since NOW. Gives the findings. */
function judgeAll(
  steps: readonly (readonly [id: string, host: string, minute: number, machine?: string])[],
) {
  let processes: readonly AgentProcess[] = [];
  return steps.map(([id, host, minute, machine = '']) => {
    const judged = judgeProcesses(processes, { id, host, machine, nowMs: NOW + minute * 60_000 });
    processes = judged.processes;
    return judged.finding?.kind;
  });
}

test('judgeProcesses() takes a restart for a restart', () => {
  const steps = [
    ['a', 'PC', 0],
    ['a', 'PC', 1],
    ['b', 'pc', 2],
    ['b', 'PC', 9],
  ] as const;
  assert.deepEqual(judgeAll(steps), [undefined, undefined, undefined, undefined]);
});

test('judgeProcesses() tells a clone when the start before goes on beside the newer one', () => {
  const steps = [
    ['a', 'PC', 0],
    ['b', 'PC', 1],
    ['a', 'PC', 2],
    ['b', 'PC', 3],
    ['a', 'PC', 4],
  ] as const;
  assert.deepEqual(judgeAll(steps), [undefined, undefined, undefined, undefined, 'cloned']);
});

test('judgeProcesses() tells a renamed computer once', () => {
  const steps = [
    ['a', 'PC', 0],
    ['b', 'NEW', 1],
    ['b', 'NEW', 2],
  ] as const;
  assert.deepEqual(judgeAll(steps), [undefined, 'renamed', undefined]);
});

test('judgeProcesses() tells another machine at its first word, and a clone as soon as the first one speaks again', () => {
  const steps = [
    ['a', 'PC', 0, 'one'],
    ['b', 'PC', 1, 'two'],
    ['a', 'PC', 1.1, 'one'],
  ] as const;
  assert.deepEqual(judgeAll(steps), [undefined, 'moved', 'cloned']);
  const renamed = [
    ['a', 'PC', 0, 'one'],
    ['b', 'NEW', 1, 'one'],
  ] as const;
  assert.deepEqual(judgeAll(renamed), [undefined, 'renamed']);
});

test('isAllowedHost() takes a short name in any domain, a full one exactly, in any case', () => {
  assert.equal(isAllowedHost(undefined, 'anything'), true);
  assert.equal(isAllowedHost(['pc-042'], 'PC-042.acme.local'), true);
  assert.equal(isAllowedHost(['pc-042.acme.local'], 'PC-042.ACME.local'), true);
  assert.equal(isAllowedHost(['pc-042.acme.local'], 'pc-042.evil.local'), false);
  assert.equal(isAllowedHost(['pc-042'], 'pc-0421'), false);
  assert.equal(isAllowedHost([], 'pc-042'), false);
});
