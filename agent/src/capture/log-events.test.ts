/**
 * Goal: what Windows says of its log, its clock and its policy is told for what it is. Method: events as Windows prints them, cut to
 * what is read of them, one log after the other.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceFact } from './captured-event.ts';
import { createGapJudge } from './gap-judge.ts';
import { createLogEvents, type LogEvents } from './log-events.ts';
import { createReadShare } from './read-share.ts';
import { createRecount } from './recount.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const SECOND = 1000;
const MINUTE = 60_000;

const log = (bootedAtMs = NOON - 3_600_000): LogEvents => createLogEvents({ bootedAtMs });
const words = (facts: readonly SourceFact[]): string[] =>
  facts.map((fact) => (fact.kind === 'notice' ? `${fact.name} ${fact.level}` : fact.kind));
const at = (recordId: number, timeMs: number) => ({ recordId, timeMs });
const clock = (from: string, to: string): string =>
  `<Data Name='PreviousTime'>${from}</Data><Data Name='NewTime'>${to}</Data>`;

test('a clock that is kept right is no fact; one that is set is, either way', () => {
  const cases = [
    ['2026-11-23T12:00:00.000000000Z', '2026-11-23T12:00:59.9Z', []],
    ['2026-11-23T12:00:04.9Z', '2026-11-23T12:00:00Z', []],
    ['2026-11-23T12:00:05.0000000Z', '2026-11-23T12:00:00Z', ['clock_set warn']],
    ['2026-11-23T12:00:00Z', '2026-11-23T12:01:00Z', ['clock_set warn']],
    ['12:00:00', 'garbage', []],
  ] as const;
  for (const [from, to, expected] of cases)
    assert.deepEqual(
      words(log().take('4616', clock(from, to), at(5, NOON))),
      expected,
      `${from} ${to}`,
    );
});

test('events of several processors out of order are no clock that went back, and read again they are none either', () => {
  const events = log();
  assert.deepEqual(events.take('4688', '', at(5, NOON)), []);
  assert.deepEqual(events.take('4688', '', at(6, NOON - 30 * SECOND)), []);
  assert.deepEqual(events.take('4688', '', at(4, NOON - 10 * MINUTE)), []);
  assert.deepEqual(words(events.take('4688', '', at(5, NOON - 12 * MINUTE))), ['clock_set warn']);
});

test('a service that stops while Windows runs is told when it writes again, with both records', () => {
  const events = log();
  assert.deepEqual(events.take('1100', '', at(7, NOON)), []);
  const [fact] = events.take('4688', '', at(8, NOON + 5 * SECOND));
  assert.ok(fact?.kind === 'notice' && fact.name === 'log_service');
  assert.deepEqual([fact.level, fact.from, fact.to], ['error', 7, 8]);
  assert.match(fact.reason, /stopped for 5 s/);
  assert.deepEqual(events.take('4688', '', at(9, NOON + 6 * SECOND)), []);
});

test('a stop in an earlier run of Windows without a start of Windows behind it is told too, once the log is read', () => {
  const events = log(NOON + 3_600_000);
  events.take('1100', '', at(7, NOON));
  assert.deepEqual(events.take('4688', '', at(8, NOON + SECOND)), []);
  assert.deepEqual(words(events.idle(NOON + 7_200_000)), ['log_service error']);
  assert.deepEqual(events.idle(NOON + 7_200_000), []);
});

test('a policy change without process creation in it is only good to know', () => {
  const xml = "<Data Name='SubcategoryGuid'>{0cce9217-69ae-11d9-bed3-505054503030}</Data>";
  assert.deepEqual(words(log().take('4719', xml, at(1, NOON))), ['audit_policy info']);
});

test('a gap is cleared, archived or rolled over by the first record behind it, and told once', () => {
  const cause = (recordId?: number, code?: string): string[] => {
    const judge = createGapJudge(() => undefined);
    judge.open(101, 150);
    const facts = judge.settle(recordId, code);
    assert.deepEqual(judge.settle(recordId, code), []);
    return facts.map((fact) => (fact.kind === 'gap' ? fact.cause : fact.kind));
  };
  assert.deepEqual(cause(151, '1102'), ['cleared']);
  // Cleared, and rolled over since: what is gone was overwritten.
  assert.deepEqual(cause(152, '1102'), ['rolled']);
  assert.deepEqual(cause(152, '1105'), ['archived']);
  assert.deepEqual(cause(400, '1105'), ['rolled']);
  assert.deepEqual(cause(151, '4688'), ['rolled']);
  assert.deepEqual(cause(), ['rolled']);
});

test('the estimate follows what was read lately, is kept, and is none where little was read', () => {
  const share = createReadShare(undefined);
  share.records(99);
  assert.equal(share.startsAmong(1000), undefined);
  share.records(1);
  for (let count = 0; count < 25; count += 1) share.start();
  assert.equal(share.startsAmong(1000), 250);
  assert.equal(createReadShare(share.kept()).startsAmong(1000), 250);
  // A log in which everything is now a process start.
  for (let count = 0; count < 1_000_000; count += 1) {
    share.records(1);
    share.start();
  }
  assert.ok((share.startsAmong(1000) ?? 0) > 990);
});

const WINDOW = { kind: 'recount', fromMs: NOON, toMs: NOON + 10 * MINUTE, firstId: 500 } as const;

test('a recount is right where as many or more were read, and has the rest read again once', () => {
  const recount = createRecount(NOON - MINUTE);
  for (const second of [0, 59, 61, 599]) recount.count(NOON + second * SECOND);
  // Outside of the window.
  for (const second of [-1, 600]) recount.count(NOON + second * SECOND);
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 4 }), { outcome: 'right' });
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 3 }), { outcome: 'right' });
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 6 }), { outcome: 'again', missing: 2 });
  // Read again, and still two are missing.
  for (const second of [0, 59, 61, 599]) recount.count(NOON + second * SECOND);
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 6 }), { outcome: 'lost', missing: 2 });
  for (const second of [70, 80]) recount.count(NOON + second * SECOND);
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 6 }), { outcome: 'right' });
  assert.deepEqual(recount.judge({ ...WINDOW, starts: 7 }).outcome, 'again');
});

test('a recount does not judge what began before the reading, before a change of the clock, or hours ago', () => {
  assert.equal(createRecount(NOON).judge({ ...WINDOW, starts: 9 }).outcome, 'right');
  const changed = createRecount(NOON - MINUTE);
  changed.restart(NOON + 5 * MINUTE);
  assert.equal(changed.judge({ ...WINDOW, starts: 9 }).outcome, 'right');
  const long = createRecount(NOON - MINUTE);
  for (let minute = 0; minute < 400; minute += 1) long.count(NOON + minute * MINUTE);
  assert.equal(long.judge({ ...WINDOW, starts: 99 }).outcome, 'right');
});
