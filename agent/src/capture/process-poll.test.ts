/**
 * Goal: process-poll gives what it finds once, late enough for the log to tell it first, and survives a reader that babbles.
 * Method: its lines and its hold, with a clock of the test.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPollHold } from './poll-hold.ts';
import { createPollReading } from './poll-reading.ts';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const found = (pid: number, timeMs = NOON): string =>
  `<Event><TimeCreated SystemTime='${new Date(timeMs).toISOString()}'/><Data Name='NewProcessId'>0x${pid.toString(16)}</Data></Event>`;
const line = (text: string, overlong = false) => ({ text, overlong });

test('what was found is handed on with the time up to which was looked, and only then', () => {
  const reading = createPollReading();
  assert.equal(reading.take(line('V 2 5.1')), undefined);
  assert.equal(reading.take(line(`P ${found(1)}`)), undefined);
  const batch = reading.take(line(`T ${NOON}`));
  assert.equal(batch?.events.length, 1);
  assert.equal(batch.position?.polledToMs, NOON);
  assert.equal(reading.flush(), undefined);
});

test('a line of something else is reported, a reader of another version or without its language is left', () => {
  const reading = createPollReading();
  for (const text of ['hello', 'E <Event></Event>', 'H 1 1 1']) reading.take(line(text));
  reading.take(line('P <Event', true));
  assert.deepEqual(
    reading.flush()?.facts.map(({ kind }) => kind),
    ['unreadable', 'unreadable', 'unreadable', 'unreadable'],
  );
  assert.equal(reading.refusal(), undefined);
  const [other, constrained] = [createPollReading(), createPollReading()];
  other.take(line('V 1 x'));
  constrained.take(line('X clm'));
  assert.match(other.refusal() ?? '', /speaks protocol 1, this agent 2/);
  assert.match(constrained.refusal() ?? '', /Constrained Language/);
});

test('a first look at a thousand processes comes in batches', () => {
  const reading = createPollReading();
  const batches = Array.from({ length: 1200 }, (_, pid) => reading.take(line(`P ${found(pid)}`)));
  assert.deepEqual(
    batches.filter((batch) => batch !== undefined).map(({ events }) => events.length),
    [500, 500],
  );
  assert.equal(reading.flush()?.events.length, 200);
});

const batchOf = (polledToMs: number, ...events: string[]) => ({
  ...{ events: events.map((xml) => ({ xml, readAtMs: 0 })), facts: [] },
  position: { recordId: -1, scannedId: -1, timeMs: polledToMs, polledToMs },
});

test('a start is held until the log had its time; what is behind it waits, what is empty does not', () => {
  let now = 0;
  const hold = createPollHold(6000, () => now);
  hold.put(batchOf(1));
  assert.equal(hold.release()?.position?.polledToMs, 1);
  hold.put(batchOf(2, found(1)));
  now = 2000;
  hold.put(batchOf(3));
  assert.equal(hold.release(), undefined, 'the position must not pass what is held');
  now = 6000;
  const released = hold.release();
  assert.deepEqual([released?.events.length, released?.position?.polledToMs], [1, 3]);
});

test('when auditing comes on, what the log tells from then on is not told by the poll', () => {
  const hold = createPollHold(6000, () => 0);
  hold.put(batchOf(1, found(1, NOON - 5), found(2, NOON), found(3, NOON + 5), found(4, NOON - 1)));
  // Process 4 is the first that was logged, a moment after it was made.
  const rest = hold.end({ timeMs: NOON, pid: 4 });
  assert.deepEqual(
    rest?.events.map(({ xml }) => xml),
    [found(1, NOON - 5)],
  );
  assert.equal(hold.end(undefined), undefined);
});
