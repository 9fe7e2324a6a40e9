/**
 * Goal: whether Windows audits is known for sure or said not to be known. Method: the watch with clocks and canaries of the test, fed
 * with what a reader sees.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditWatch, createAuditWatch } from './audit-watch.ts';
import type { Canary } from './canary.ts';
import { canarySong } from './canary.ts';
import type { SourceFact } from './captured-event.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const HOUR = 3_600_000;
const MARK = `launchbeat-canary-${'ab'.repeat(16)}`;

/** A process start as far as it is looked at. */
const start = (pid: number, program = 'C:\\x\\chrome.exe', line = ''): string =>
  `<Data Name='NewProcessId'>0x${pid.toString(16)}</Data><Data Name='NewProcessName'>${program}</Data><Data Name='CommandLine'>${line}</Data>`;

interface Scene {
  readonly watch: AuditWatch;
  readonly canaries: Canary[];
  /** Lets time pass on both clocks. */
  pass(ms: number): void;
  /** Sets the clock of the PC. */
  setClock(ms: number): void;
  /** All is read up to the newest record. */
  beat(newestId: number, scannedId?: number): void;
  told(): string[];
}

function scene(answer?: string): Scene {
  let [nowMs, elapsedMs] = [NOON, 0];
  const canaries: Canary[] = [];
  const watch = createAuditWatch({
    canary: { command: ['cmd.exe'], intervalMs: HOUR },
    now: () => nowMs,
    elapsed: () => elapsedMs,
    start(_, startedAtMs) {
      if (answer !== undefined) return answer;
      const pid = 1000 + canaries.length;
      canaries.push({ pid, mark: MARK, program: 'cmd.exe', startedAtMs });
      return canaries.at(-1) as Canary;
    },
  });
  const lineOf = (fact: SourceFact): string =>
    fact.kind === 'notice' ? `${fact.level}: ${fact.reason}` : fact.kind;
  return {
    ...{ watch, canaries },
    pass(ms) {
      nowMs += ms;
      elapsedMs += ms;
    },
    setClock(ms) {
      nowMs = ms;
    },
    beat: (newestId, scannedId = newestId) =>
      watch.heartbeat({ kind: 'heartbeat', recordId: 1, scannedId, newestId }),
    told: () => watch.facts().map(lineOf),
  };
}

test('a canary is started when all is read, and judged only when all is read again', () => {
  const { watch, canaries, pass, beat, told } = scene();
  beat(100, 50);
  assert.equal(canaries.length, 0);
  beat(100);
  assert.equal(canaries.length, 1);
  pass(60_000);
  beat(5000, 200);
  beat(-1);
  assert.equal(
    watch.standing().processCreation,
    undefined,
    'its event may stand in what is not read',
  );
  beat(5000);
  assert.equal(watch.standing().processCreation, false);
  assert.match(told().join(), /^error: .*not logged within 15 s\. The log went on without it/);
  assert.equal(watch.isBlind(), true);
});

test('a log to which nothing is written at all is told as that', () => {
  const { pass, beat, told } = scene();
  beat(100);
  pass(14_999);
  beat(100);
  assert.deepEqual(told(), []);
  pass(1);
  beat(100);
  assert.match(
    told().join(),
    /Nothing at all was written to the log, which may also be full or stopped/,
  );
});

test('auditing that stays off is told once and tried each five minutes; that stays on, each interval', () => {
  const { canaries, pass, beat, told } = scene();
  beat(1);
  for (let minute = 0; minute < 31; minute += 1) {
    pass(60_000);
    beat(minute + 2);
  }
  assert.equal(told().length, 1);
  assert.ok(canaries.length >= 5 && canaries.length <= 7, `${canaries.length}`);
  const on = scene();
  on.beat(1);
  on.watch.start(start(1000, 'C:\\Windows\\System32\\cmd.exe', MARK), NOON);
  for (let minute = 0; minute < 119; minute += 1) {
    on.pass(60_000);
    on.beat(minute + 2);
    if (on.canaries.length === 2) on.watch.start(start(1001, 'cmd.exe', MARK), NOON + HOUR);
  }
  assert.equal(on.canaries.length, 2);
  assert.deepEqual(on.told(), []);
});

test('a clock that is set says nothing of auditing', () => {
  for (const ms of [NOON - HOUR, NOON + HOUR]) {
    const { watch, setClock, beat } = scene();
    beat(100);
    setClock(ms);
    beat(101);
    assert.equal(watch.standing().processCreation, undefined);
  }
});

test('starts that were logged before auditing went off do not say that it is on', () => {
  const { watch, pass, beat, told } = scene();
  beat(100);
  pass(15_000);
  beat(101);
  told();
  assert.equal(watch.start(start(7), NOON - HOUR), false);
  assert.equal(watch.isBlind(), true);
  watch.start(start(8), NOON + 20_000);
  assert.equal(watch.isBlind(), false);
  assert.deepEqual(watch.firstAudited(), { timeMs: NOON + 20_000, pid: 8 });
  assert.deepEqual(told(), ['info: Windows audits process starts again']);
});

test('where the log cannot be read later, the first start of an earlier time is forgotten', () => {
  const { watch, pass, beat } = scene();
  beat(100);
  pass(15_000);
  beat(101);
  watch.start(start(8), NOON + 20_000);
  watch.denied();
  beat(102);
  assert.equal(watch.isBlind(), false);
  assert.equal(watch.firstAudited(), undefined);
});

test('the canary is known by its mark, or without command lines by its process id and program', () => {
  const canary = { pid: 0x1f40, mark: MARK, program: 'cmd.exe', startedAtMs: 0 };
  const shell = 'C:\\Windows\\System32\\CMD.EXE';
  assert.equal(canarySong(start(1, shell, `cmd /c rem ${MARK}`), canary), 'with_command_line');
  assert.equal(canarySong(start(0x1f40, shell), canary), 'without_command_line');
  assert.equal(canarySong(start(0x1f40, shell, 'cmd /c other'), canary), undefined);
  assert.equal(canarySong(start(0x1f40, 'C:\\x\\other.exe'), canary), undefined);
  assert.equal(canarySong(start(0x1f41, shell), canary), undefined);
});

test('command lines that go off and come back are told, each once', () => {
  const { watch, pass, beat, told } = scene();
  beat(1);
  watch.start(start(1000, 'cmd.exe', MARK), NOON);
  pass(HOUR);
  beat(2);
  assert.equal(watch.start(start(1001, 'cmd.exe'), NOON + HOUR), true);
  assert.match(told().join(), /^error: Windows logs process starts without their command lines/);
  pass(HOUR);
  beat(3);
  watch.start(start(1002, 'cmd.exe', MARK), NOON + 2 * HOUR);
  assert.deepEqual(told(), ['info: Windows logs command lines again']);
  assert.equal(watch.standing().commandLine, true);
});

test('a canary that cannot be started leaves it unknown, and is not tried again', () => {
  const { watch, pass, beat, told } = scene('"cmd.exe" cannot be started.');
  beat(1);
  pass(2 * HOUR);
  beat(2);
  assert.deepEqual(told(), [
    'warn: Whether process starts are audited is not known: "cmd.exe" cannot be started.',
  ]);
  assert.equal(watch.standing().processCreation, undefined);
  assert.equal(watch.isBlind(), false);
});

test('a change of the policy has it tried at once; a log that may not be read makes it blind', () => {
  const { watch, canaries, pass, beat } = scene();
  beat(1);
  watch.start(start(1000, 'cmd.exe', MARK), NOON);
  pass(1000);
  watch.doubt();
  beat(2);
  assert.equal(canaries.length, 2);
  watch.denied();
  assert.equal(watch.isBlind(), true);
  beat(3);
  assert.equal(watch.isBlind(), false);
});
