/**
 * Goal: the id of an event is what the documentation says, whoever reads the event. Method: ids computed by hand with other
 * programs (sha256sum, base64), and times with every number of digits that readers print.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EVENT_ID_PATTERN, type EventKey, eventId, eventIdTimeMs } from './event-id.ts';
import { systemTimeMs } from './system-time.ts';

const KEY: EventKey = {
  computer: 'PC-017.office.example',
  channel: 'Security',
  providerGuid: '{54849625-5478-4994-a5ba-3e3b0328c30d}',
  recordId: '5001',
  timeMs: 1_772_432_130_123,
  eventCode: '4688',
};

test('eventId() is 6 bytes of time and 10 of SHA-256 over the parts joined by NUL', () => {
  assert.equal(eventId(KEY), 'AZytMABL8gXz6WTab5SgGg');
  assert.equal(
    eventId({ ...KEY, computer: 'БУХ-03', recordId: '18446744073709551615', timeMs: 1 }),
    'AAAAAAABl3JXxqY7X3DGXw',
  );
  assert.equal(
    eventId({ ...KEY, computer: 'SRV', recordId: '1', timeMs: 0 }),
    'AAAAAAAAL54ahma6dckaEA',
  );
});

test('the case of the computer and of the GUID, and its braces, make no other event', () => {
  assert.equal(eventId({ ...KEY, computer: 'pc-017.OFFICE.example' }), eventId(KEY));
  assert.equal(
    eventId({ ...KEY, providerGuid: '54849625-5478-4994-A5BA-3E3B0328C30D' }),
    eventId(KEY),
  );
});

test('any other part makes another event', () => {
  const others: Partial<EventKey>[] = [
    { computer: 'PC-018.office.example' },
    { channel: 'security' },
    { providerGuid: '{54849625-5478-4994-a5ba-3e3b0328c30e}' },
    { recordId: '5002' },
    { timeMs: KEY.timeMs + 1 },
    { eventCode: '4689' },
    // Parts must not run into each other.
    { computer: 'PC-017.office.exampleSecurity', channel: '' },
  ];
  const ids = [KEY, ...others.map((other) => ({ ...KEY, ...other }))].map(eventId);
  assert.equal(new Set(ids).size, others.length + 1);
  for (const id of ids) assert.match(id, EVENT_ID_PATTERN);
});

test('ids have the order of time as bytes, and give the time back', () => {
  const times = [0, 1, 255, 256, 1_772_432_130_123, 2 ** 41, 2 ** 47];
  const ids = times.map((timeMs) => eventId({ ...KEY, timeMs }));
  assert.deepEqual(ids.map(eventIdTimeMs), times);
  const bytes = ids.map((id) => Buffer.from(id, 'base64url'));
  assert.deepEqual(bytes.toSorted(Buffer.compare), bytes);
});

test('a time with 3, 6, 7 or 9 digits is the same millisecond, cut and not rounded', () => {
  for (const digits of ['.123', '.123999', '.1239999', '.123999900', '.1230']) {
    assert.equal(systemTimeMs(`2026-03-02T06:15:30${digits}Z`), KEY.timeMs, digits);
  }
  assert.equal(systemTimeMs('2026-03-02T06:15:30Z'), 1_772_432_130_000);
  assert.equal(systemTimeMs('2026-03-02T06:15:30.9Z'), 1_772_432_130_900);
});

test('systemTimeMs() agrees with Date on every moment from 1970 to 9999, whatever came before', () => {
  const moment = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31, 23, 59, 59, 999) });
  fc.assert(
    fc.property(moment, (timeMs) => {
      const text = new Date(timeMs).toISOString();
      assert.equal(systemTimeMs(text), timeMs);
      assert.equal(systemTimeMs(text.replace('Z', '9999Z')), timeMs);
    }),
  );
});

test('what is no UTC time has no milliseconds', () => {
  for (const text of [
    '',
    '2026-03-02 06:15:30Z',
    '2026-03-02T06:15:30',
    '2026-03-02T06:15:30+03:00',
    '2026-13-02T06:15:30Z',
    '2026-03-02T24:00:00Z',
    '2026-03-02T06:60:30Z',
    '2026-03-02T06:15:60Z',
    '2026-03-02T06:15:30.1234567890Z',
    '1960-03-02T06:15:30Z',
    ' 2026-03-02T06:15:30Z',
  ])
    assert.equal(systemTimeMs(text), undefined, text);
});
