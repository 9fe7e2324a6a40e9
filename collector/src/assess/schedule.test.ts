/**
 * Goal: a schedule means what a clock on the wall shows, by the time of the event, on the days of a clock change too. Method: moments
 * in UTC worked out by hand from the zone's rules, and every quarter of an hour of two years against Intl's own reading.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { processStart } from '../../../tests/support/documents.ts';
import { alertsConfigSchema } from './alerts-config.ts';
import { createAssess } from './assess.ts';
import { createRuleSchedule, scheduleKeys } from './schedule.ts';

const schema = z.strictObject({ ...scheduleKeys, outside: z.boolean().default(false) });

function holds(schedule: object, moment: string, zone = 'Europe/Berlin'): boolean {
  return createRuleSchedule(schema.parse(schedule), zone)(Date.parse(moment));
}

const NIGHT = { from: '22:00', to: '06:00' };
const EARLY = { from: '02:00', to: '03:00' };
const OFFICE = { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '19:00' };

for (const [name, schedule, moment, want] of [
  // Winter is UTC+1, summer UTC+2; in 2027 the clocks change on 28 March and 31 October at 01:00 UTC.
  ['first minute in winter', OFFICE, '2027-03-26T07:00:00Z', true],
  ['before it in winter', OFFICE, '2027-03-26T06:59:59.999Z', false],
  ['first minute in summer', OFFICE, '2027-03-29T06:00:00Z', true],
  ['before it in summer', OFFICE, '2027-03-29T05:59:59.999Z', false],
  ['last minute in summer', OFFICE, '2027-10-29T16:59:59.999Z', true],
  ['after it in summer', OFFICE, '2027-10-29T17:00:00Z', false],
  ['last minute in winter', OFFICE, '2027-11-01T17:59:59.999Z', true],
  ['after it in winter', OFFICE, '2027-11-01T18:00:00Z', false],
  ['weekend', OFFICE, '2027-03-27T10:00:00Z', false],
  ['Friday in Berlin, Saturday nowhere yet', OFFICE, '2027-03-26T10:00:00Z', true],
  ['01:59:59 before the hour that is not there', EARLY, '2027-03-28T00:59:59Z', false],
  ['03:00 after the hour that is not there', EARLY, '2027-03-28T01:00:00Z', false],
  ['02:30 the first time', EARLY, '2027-10-31T00:30:00Z', true],
  ['02:30 the second time', EARLY, '2027-10-31T01:30:00Z', true],
  ['03:00 after it', EARLY, '2027-10-31T02:00:00Z', false],
  ['night over the change, its end', NIGHT, '2027-03-28T03:59:59Z', true],
  ['night over the change, after it', NIGHT, '2027-03-28T04:00:00Z', false],
  ['night over the other change, its end', NIGHT, '2027-10-31T04:59:59Z', true],
  ['night over the other change, after it', NIGHT, '2027-10-31T05:00:00Z', false],
  ['night of Friday on Saturday', { ...NIGHT, days: ['fri'] }, '2027-06-05T03:00:00Z', true],
  ['night of Thursday on Friday', { ...NIGHT, days: ['fri'] }, '2027-06-04T03:00:00Z', false],
  ['night of Friday on Friday', { ...NIGHT, days: ['fri'] }, '2027-06-04T20:00:00Z', true],
  ['each year', { holidays: ['01-01'] }, '2028-01-01T10:00:00Z', false],
  ['begins in Berlin before UTC', { holidays: ['01-01'] }, '2027-12-31T23:00:00Z', false],
  ['the day before', { holidays: ['01-01'] }, '2027-12-31T22:59:59Z', true],
  ['once', { holidays: ['2027-05-03'] }, '2027-05-03T10:00:00Z', false],
  ['once, a year later', { holidays: ['2027-05-03'] }, '2028-05-03T10:00:00Z', true],
  ['its own zone', { ...OFFICE, time_zone: 'Asia/Tokyo' }, '2027-03-26T07:00:00Z', true],
  ['its own zone, after', { ...OFFICE, time_zone: 'Asia/Tokyo' }, '2027-03-26T10:00:00Z', false],
  ['outside at night', { ...OFFICE, outside: true }, '2027-03-26T22:00:00Z', true],
  ['outside by day', { ...OFFICE, outside: true }, '2027-03-26T10:00:00Z', false],
  ['no keys', {}, '2027-03-26T10:00:00Z', true],
  ['a day from 08:00, just before', { from: '08:00', to: '08:00' }, '2027-06-05T05:59:00Z', true],
  ['before 1970', { days: ['wed'] }, '1969-12-31T10:00:00Z', true],
] as const) {
  test(`a schedule ${want ? 'holds' : 'does not hold'}: ${name}`, () => {
    assert.equal(holds(schedule, moment), want);
  });
}

for (const zone of ['Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe', 'Europe/Moscow']) {
  test(`in ${zone} a schedule agrees with Intl at every quarter of an hour of two years`, () => {
    const schedule = createRuleSchedule(
      schema.parse({ days: ['sun', 'mon'], from: '01:15', to: '02:45' }),
      zone,
    );
    const format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      hourCycle: 'h23',
      weekday: 'short',
      hour: '2-digit',
      minute: '2-digit',
    });
    let held = 0;
    const end = Date.UTC(2028, 11, 31);
    for (let timeMs = Date.UTC(2027, 0, 1, 0, 7); timeMs < end; timeMs += 900_000) {
      const part: Record<string, string> = {};
      for (const { type, value } of format.formatToParts(timeMs)) part[type] = value;
      const clock = `${part['hour']}:${part['minute']}`;
      const isDay = part['weekday'] === 'Sun' || part['weekday'] === 'Mon';
      const want = isDay && clock >= '01:15' && clock < '02:45';
      if (schedule(timeMs) !== want) assert.fail(`${new Date(timeMs).toISOString()} ${clock}`);
      if (want) held += 1;
    }
    assert.ok(held > 1000, String(held));
  });
}

test('a rule holds by the time of its event in the zone of the file, whenever the event comes', () => {
  const config = alertsConfigSchema.parse({
    time_zone: 'Europe/Berlin',
    chats: { duty: 1 },
    rules: [{ id: 'after-hours', schedule: { ...OFFICE, outside: true } }],
  });
  const assess = createAssess(config);
  const at = (time: string) => assess([processStart({ '@timestamp': time })])[0]?.fields.time;
  assert.equal(at('2027-03-26T07:30:00Z'), undefined);
  assert.equal(at('2027-03-29T05:30:00Z'), '29.03.2027 07:30:00');
  assert.equal(at('2027-03-29T06:30:00Z'), undefined);
  assert.equal(at('2027-03-28T10:00:00Z'), '28.03.2027 12:00:00');
});
