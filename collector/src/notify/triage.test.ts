/**
 * Goal: whatever is kept from a chat is told to it as a number, and each alert by one message only.
 * Method: the pure triage alone, with a clock of the test; sums are taken from the verdicts and from the table and held against each other.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { alertsConfigSchema } from '../assess/alerts-config.ts';
import type { Mute } from './mutes.ts';
import { createDesk, type Desk, type Fate, MINUTE_MS, type Notice } from './notice-desk.ts';
import { createQuietPolicies } from './quiet-policies.ts';
import { decideFate, tickNotices } from './triage.ts';

const CHAT = '7';
const START_MS = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 60 * MINUTE_MS;

interface Bench {
  readonly desk: Desk;
  /** Fate of an alert whose event was `agoMs` before it came. */
  alert(fields?: Record<string, string>, agoMs?: number): Fate;
  /** Moves the clock, a second at a time, as the collector looks. */
  pass(ms: number): void;
  at(ms: number): void;
  /** Notices that were let out, with their counts. */
  told(): string[];
  everyNotice(): Notice[];
  /** Mutes the rule for so long; gives the end of that before its time. */
  mute(forMs: number, pair?: string): () => void;
}

function bench(file: Record<string, unknown>, budget?: Record<string, unknown>): Bench {
  const chats = { duty: { id: Number(CHAT), ...budget } };
  const policies = createQuietPolicies(alertsConfigSchema.parse({ chats, ...file }));
  const desk = createDesk();
  const notices = new Set<Notice>();
  let nowMs = START_MS;
  let ids = 0;
  let mutes: Mute[] = [];
  const round = () => {
    const newId = (): string => {
      ids += 1;
      return String(ids);
    };
    const inForce = mutes.filter(({ untilMs }) => untilMs > nowMs);
    return { desk, policies, nowMs, mutes: inForce, newId };
  };
  const keep = (): void => {
    for (const one of [...desk.open.values(), ...desk.changed]) notices.add(one);
  };
  return {
    desk,
    alert(fields = {}, agoMs = 0) {
      const { fate } = decideFate(round(), {
        ruleId: 'watched-programs',
        chatId: CHAT,
        fields: { user: 'a', process: 'x.exe', ...fields },
        eventMs: nowMs - agoMs,
        createdMs: nowMs,
      });
      keep();
      return fate;
    },
    pass(ms) {
      for (let left = ms; left > 0; left -= 1000) {
        nowMs += Math.min(left, 1000);
        tickNotices(round());
        keep();
      }
    },
    at(ms) {
      nowMs = ms;
    },
    told: () =>
      [...notices]
        .filter((one) => one.state === 'pending')
        .map((one) => `${one.kind} ${one.count}`),
    everyNotice: () => [...notices].filter((one) => !desk.removed.has(one)),
    mute(forMs, pair) {
      ids += 1;
      const id = String(ids);
      const rule = { chatId: CHAT, ruleId: 'watched-programs' };
      mutes.push({ id, ...rule, pair, untilMs: nowMs + forMs });
      return () => {
        mutes = mutes.filter((one) => one.id !== id);
      };
    },
  };
}

test('an alert older than max_age is folded, and the folded ones are told once as a number', () => {
  const one = bench({ max_age: '1h', digest_after: '30s' });
  assert.equal(one.alert({}, HOUR_MS), 'pending');
  for (let at = 0; at < 500; at += 1) assert.equal(one.alert({}, 72 * HOUR_MS), 'folded');
  one.pass(29_000);
  assert.deepEqual(one.told(), []);
  one.pass(1000);
  assert.deepEqual(one.told(), ['folded 500']);
});

test('old alerts that come on and on are told after ten waits at the latest', () => {
  const one = bench({ max_age: '1h', digest_after: '30s' });
  for (let at = 0; at < 300; at += 10) {
    one.alert({}, 72 * HOUR_MS);
    one.pass(10_000);
  }
  assert.deepEqual(one.told(), ['folded 30']);
});

test('the same alert is counted for a while and told when the while is over; another one is not touched', () => {
  const one = bench({ suppress: { key: ['user', 'program'], for: '10m' } });
  assert.equal(one.alert(), 'pending');
  for (let at = 0; at < 12; at += 1) assert.equal(one.alert({ user: 'A' }), 'suppressed');
  assert.equal(one.alert({ user: 'b' }), 'pending');
  assert.equal(one.alert({ domain: 'OTHER' }), 'pending');
  one.pass(10 * MINUTE_MS);
  assert.deepEqual(one.told(), ['suppressed 12']);
});

test('a window that counted nothing is forgotten; one that counted is followed by another', () => {
  const one = bench({ suppress: { for: '10m' } });
  one.alert();
  one.pass(10 * MINUTE_MS);
  assert.equal(one.desk.open.size, 0);
  one.alert();
  one.alert();
  one.pass(10 * MINUTE_MS);
  assert.equal(one.alert(), 'suppressed', 'the message that told of one begins the next window');
  one.pass(20 * MINUTE_MS);
  assert.deepEqual(one.told(), ['suppressed 1', 'suppressed 1']);
  assert.equal(one.alert(), 'pending');
});

test('exponential_to doubles the while up to its bound, and calm brings it back', () => {
  const one = bench({ suppress: { for: '10m', exponential_to: '30m' } });
  const windows: number[] = [];
  for (let minute = 0; minute < 200; minute += 1) {
    one.alert();
    one.pass(MINUTE_MS);
  }
  for (const notice of one.everyNotice()) windows.push(notice.windowMs / MINUTE_MS);
  assert.deepEqual(windows, [10, 20, 30, 30, 30, 30, 30, 30]);
  one.pass(2 * HOUR_MS);
  assert.equal(one.alert(), 'pending');
  assert.equal([...one.desk.open.values()][0]?.windowMs, 10 * MINUTE_MS);
});

test('an event from the future closes no window for longer than the rule says', () => {
  const one = bench({ suppress: { for: '10m' } });
  assert.equal(one.alert({}, -8760 * HOUR_MS), 'pending');
  one.pass(10 * MINUTE_MS);
  assert.equal(one.alert(), 'pending');
});

test('past the budget of a chat there is one storm, which ends after a minute that the chat could bear', () => {
  const one = bench({}, { budget: 3 });
  const fates = Array.from({ length: 100 }, () => one.alert());
  assert.deepEqual(fates.slice(0, 4), ['pending', 'pending', 'pending', 'stormed']);
  assert.equal(fates.filter((fate) => fate === 'stormed').length, 97);
  one.pass(MINUTE_MS);
  assert.equal(one.alert(), 'stormed', 'the minute was too loud');
  one.pass(MINUTE_MS);
  assert.deepEqual(one.told(), ['storm 98']);
  assert.equal(one.alert(), 'pending');
});

test('what comes in quiet hours is held and told when they are over, on the wall clock of the zone', () => {
  const file = { time_zone: 'Europe/Berlin', suppress: { for: '10m' } };
  const one = bench(file, { quiet_hours: { from: '22:00', to: '07:00' } });
  // The clocks are set back at 03:00 on this night, so it has ten hours.
  one.at(Date.UTC(2026, 9, 24, 19, 59));
  assert.equal(one.alert(), 'pending');
  one.alert();
  one.pass(MINUTE_MS);
  assert.equal(one.alert({ user: 'b' }), 'held');
  assert.equal(one.alert({ user: 'b' }), 'held');
  one.pass(20 * MINUTE_MS);
  assert.deepEqual(one.told(), [], 'a window that ends at night waits for the morning');
  one.at(Date.UTC(2026, 9, 25, 5, 59, 58));
  one.pass(1000);
  assert.deepEqual(one.told(), []);
  one.pass(1000);
  assert.deepEqual(one.told(), ['held 3']);
});

test('a digest gathers for so long and is told as one; a rule of its own window is not gathered longer, quiet hours come first', () => {
  const one = bench({}, { digest: '1h', budget: 1, quiet_hours: { from: '14:00', to: '18:00' } });
  assert.deepEqual([one.alert(), one.alert()], ['held', 'held']);
  one.pass(HOUR_MS - 1000);
  assert.deepEqual(one.told(), []);
  one.alert();
  one.pass(1000);
  assert.deepEqual(one.told(), ['held 3']);
  one.alert();
  one.pass(5 * HOUR_MS - 1000);
  assert.deepEqual(one.told(), ['held 3'], 'its time was over in quiet hours');
  one.pass(1000);
  assert.deepEqual(one.told(), ['held 3', 'held 1']);
  const rule = (digest: string | number) => ({ rules: [{ id: 'watched-programs', digest }] });
  assert.equal(bench(rule(0), { digest: '1h' }).alert(), 'pending');
  const other = bench(rule('1m'), { digest: '1h' });
  other.alert();
  other.pass(MINUTE_MS);
  assert.deepEqual(other.told(), ['held 1']);
});

test('every alert passes or is counted in one notice, whatever comes in whatever order', () => {
  const step = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        user: fc.constantFrom('a', 'b', 'c'),
        agoMs: fc.integer({ min: -HOUR_MS, max: 4 * HOUR_MS }),
      }),
    },
    { weight: 2, arbitrary: fc.record({ passMs: fc.integer({ min: 1, max: 15 * MINUTE_MS }) }) },
  );
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 80 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(undefined, '7m'),
      (steps, budget, digest) => {
        const file = { max_age: '2h', suppress: { for: '5m', exponential_to: '20m' } };
        const one = bench(file, { budget, digest, quiet_hours: { from: '13:00', to: '13:30' } });
        const fates: Fate[] = [];
        for (const now of steps) {
          if ('passMs' in now) one.pass(now.passMs);
          else fates.push(one.alert({ user: now.user }, now.agoMs));
        }
        one.pass(6 * HOUR_MS);
        const counted = one.everyNotice().reduce((sum, notice) => sum + notice.count, 0);
        assert.equal(counted, fates.filter((fate) => fate !== 'pending').length);
        assert.ok(
          one.everyNotice().every((notice) => notice.state === 'pending' || notice.count === 0),
        );
      },
    ),
    { numRuns: Number(process.env['LAUNCHBEAT_TEST_RUNS'] ?? 30) },
  );
});

for (const [night, from, hours] of [
  // The clock goes from 02:00 to 03:00, and from 03:00 to 02:00.
  ['spring', Date.UTC(2027, 2, 27, 21), 8],
  ['autumn', Date.UTC(2027, 9, 30, 20), 10],
  ['winter', Date.UTC(2027, 0, 15, 21), 9],
] as const) {
  test(`quiet hours from 22:00 to 07:00 in Berlin last ${hours} h in ${night}, and then one digest comes`, () => {
    const one = bench(
      { time_zone: 'Europe/Berlin' },
      { quiet_hours: { from: '22:00', to: '07:00' } },
    );
    one.at(from - MINUTE_MS);
    assert.equal(one.alert(), 'pending');
    one.at(from);
    assert.equal(one.alert(), 'held');
    one.pass(hours * HOUR_MS - MINUTE_MS);
    assert.equal(one.alert(), 'held');
    assert.deepEqual(one.told(), []);
    one.pass(2 * MINUTE_MS);
    assert.deepEqual(one.told(), ['held 2']);
    assert.equal(one.alert(), 'pending');
  });
}

test('a zone without clock changes has quiet hours of the same length all year', () => {
  for (const day of [Date.UTC(2027, 2, 27), Date.UTC(2027, 9, 30), Date.UTC(2027, 0, 15)]) {
    const one = bench(
      { time_zone: 'Europe/Moscow' },
      { quiet_hours: { from: '22:00', to: '07:00' } },
    );
    one.at(day + 19 * HOUR_MS);
    assert.equal(one.alert(), 'held');
    one.pass(9 * HOUR_MS - 1000);
    assert.equal(one.alert(), 'held');
    one.pass(2000);
    assert.deepEqual(one.told(), ['held 2']);
  }
});

test('a mute keeps back what it is about until its end or before, and its notice counts all of it', () => {
  const one = bench({ suppress: { for: '10m' } }, { quiet_hours: { from: '22:00', to: '07:00' } });
  one.mute(HOUR_MS);
  assert.deepEqual([one.alert(), one.alert({ user: 'b' }, 30_000)], ['muted', 'muted']);
  one.pass(HOUR_MS - 1000);
  assert.equal(one.alert(), 'muted');
  assert.deepEqual(one.told(), []);
  one.pass(1000);
  assert.deepEqual(one.told(), ['muted 3']);
  assert.equal(one.alert(), 'pending');
  const end = one.mute(9 * HOUR_MS, 'word.exe > cmd.exe');
  assert.equal(one.alert({ user: 'c' }), 'pending');
  assert.equal(one.alert({ user: 'd', parent: 'WORD.EXE', process: 'cmd.exe' }), 'muted');
  end();
  one.pass(1000);
  assert.deepEqual(one.told().slice(0, 2), ['muted 3', 'muted 1']);
  // A mute that ends in quiet hours is told after them.
  one.mute(11 * HOUR_MS);
  assert.equal(one.alert(), 'muted');
  one.pass(11 * HOUR_MS + 1000);
  assert.ok(!one.told().slice(2).includes('muted 1'));
  one.pass(9 * HOUR_MS);
  assert.ok(one.told().slice(2).includes('muted 1'));
});
