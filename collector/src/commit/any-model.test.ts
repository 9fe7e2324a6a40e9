/**
 * Goal: a rule of kind any alerts once for each event that it is about, and for no other, whatever comes late, twice, out of order or
 * after a restart. Method: random events in random chunks through the app into a real PostgreSQL, held against a model of the rules in
 * the simplest code: regular expressions and the UTC clock. LAUNCHBEAT_TEST_RUNS=10000 is the long form.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import fc from 'fast-check';
import { startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { runsOr } from '../../../tests/support/rule-models.ts';

const NOW_MS = Date.UTC(2026, 10, 23, 12);
const HOUR_MS = 3_600_000;

interface Lists {
  readonly programs?: readonly string[];
  readonly users?: readonly string[];
  readonly hosts?: readonly string[];
  readonly parents?: readonly string[];
  readonly command_lines?: readonly string[];
  readonly flags?: readonly string[];
}
interface Rule extends Lists {
  readonly id: string;
  readonly enabled?: boolean;
  readonly launch_only?: boolean;
  readonly exclude?: Lists;
  /** Working hours of UTC, Monday to Friday; `outside` = all others. */
  readonly hours?: { readonly from: number; readonly to: number; readonly outside: boolean };
  readonly chats?: readonly string[];
}

const CHATS: Readonly<Record<string, number>> = { one: 1, two: 2 };
const RULES: readonly Rule[] = [
  { id: 'watched' },
  { id: 'off', enabled: false },
  { id: 'all', programs: ['*'], launch_only: false, chats: ['one'] },
  { id: 'label', programs: ['lab?l'], exclude: { users: ['office\\B*'] } },
  { id: 'tools', programs: ['A.exe', 'b.*'], hosts: ['PC-1'], chats: ['two'] },
  {
    id: 'parent',
    programs: ['*'],
    parents: ['a.EXE'],
    exclude: { hosts: ['*.local'], flags: ['g'] },
  },
  { id: 'line', programs: ['*'], command_lines: ['*-x*-y*'], users: ['a', 'office\\b'] },
  { id: 'flags', programs: ['*'], flags: ['f', 'g'], launch_only: false },
  { id: 'night', programs: ['*'], hours: { from: 8, to: 18, outside: true } },
  { id: 'day', programs: ['b.exe'], hours: { from: 8, to: 18, outside: false } },
];

/** The rule as alerts.yml has it. */
function written({ hours, ...rule }: Rule): Record<string, unknown> {
  if (hours === undefined) return rule;
  const two = (hour: number): string => `${String(hour).padStart(2, '0')}:00`;
  const days = ['mon', 'tue', 'wed', 'thu', 'fri'];
  const { from, to, outside } = hours;
  return { ...rule, schedule: { days, from: two(from), to: two(to), outside } };
}

const meaning = (glob: string): RegExp =>
  new RegExp(
    `^${glob
      .replaceAll(/[.\\-]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
    'i',
  );

/** Which lists have something in common with the event, which have not. */
function listed(lists: Lists, { host, launchbeat, process }: ProcessStart): boolean[] {
  const { actor } = launchbeat;
  const texts: Readonly<Record<keyof Lists, readonly (string | undefined)[]>> = {
    programs: [launchbeat.program, process.name],
    users: [actor.name, `${actor.domain}\\${actor.name}`],
    hosts: [host.name, host.name.split('.')[0]],
    parents: [process.parent?.name],
    command_lines: [process.command_line],
    flags: launchbeat.flags ?? [],
  };
  return Object.entries(texts).flatMap(([name, those]) => {
    const list = lists[name as keyof Lists];
    if (list === undefined) return [];
    return [
      list.some((glob) => those.some((text) => text !== undefined && meaning(glob).test(text))),
    ];
  });
}

function isAbout(rule: Rule, document: ProcessStart): boolean {
  const { launch, program } = document.launchbeat;
  if (rule.enabled === false || (rule.launch_only !== false && !launch)) return false;
  if (rule.programs === undefined && program === undefined) return false;
  if (listed(rule, document).includes(false)) return false;
  if (listed(rule.exclude ?? {}, document).includes(true)) return false;
  if (rule.hours === undefined) return true;
  const at = new Date(systemTimeMs(document['@timestamp']) ?? 0);
  const isWorkday = at.getUTCDay() >= 1 && at.getUTCDay() <= 5;
  const isWithin =
    isWorkday && at.getUTCHours() >= rule.hours.from && at.getUTCHours() < rule.hours.to;
  return isWithin !== rule.hours.outside;
}

const modelOf = (documents: readonly ProcessStart[]): string[] =>
  documents.flatMap((document) =>
    RULES.filter((rule) => isAbout(rule, document)).flatMap(({ id, chats = ['one', 'two'] }) =>
      chats.map((chat) => `${document.event.id} ${id} ${CHATS[chat]}`),
    ),
  );

const someEvent = fc.record({
  // A Friday, a weekend and a Monday.
  agoHours: fc.integer({ min: 0, max: 80 }),
  name: fc.constantFrom('a.exe', 'B.exe', 'c.exe'),
  parent: fc.constantFrom('A.exe', 'b.exe'),
  user: fc.constantFrom('a', 'B', 'c'),
  host: fc.constantFrom('pc-1', 'PC-1.acme.local', 'pc-2'),
  line: fc.constantFrom('a -x -y', 'a -y -x', ''),
  flags: fc.subarray(['f', 'g', 'h']),
  isWatched: fc.boolean(),
  launch: fc.boolean(),
});

const documentOf = ({
  agoHours,
  ...one
}: typeof someEvent extends fc.Arbitrary<infer T> ? T : never) =>
  processStart({
    '@timestamp': new Date(NOW_MS - agoHours * HOUR_MS).toISOString(),
    host: { name: one.host },
    process: { name: one.name, command_line: one.line, parent: { name: one.parent } },
    launchbeat: {
      actor: { name: one.user, domain: 'OFFICE' },
      ...{ flags: one.flags, launch: one.launch, program: one.isWatched ? 'Label' : undefined },
    },
  });

test('any: tables and model agree on late, doubled and out-of-order events', async (t) => {
  const { url: databaseUrl } = await testDatabase(t);
  const alerts = { chats: CHATS, rules: RULES.map(written) };
  const options = { databaseUrl, alerts, now: () => NOW_MS };
  // Each is a restart to the other: they share nothing but the tables.
  const apps = [await startCollectorApp(t, options), await startCollectorApp(t, options)] as const;
  const scenario = fc.record({
    events: fc.array(someEvent, { minLength: 1, maxLength: 12 }),
    /** Places of events; the same one may be in several chunks. */
    chunks: fc.array(fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 6 }), {
      maxLength: 6,
    }),
    /** Chunks that come again. */
    again: fc.array(fc.nat({ max: 5 }), { maxLength: 2 }),
  });
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(scenario, async ({ events, chunks, again }) => {
      const documents = events.map(documentOf);
      const bodies = chunks.map((places) => places.map((at) => documents[at % documents.length]));
      const sent = [...bodies, ...again.flatMap((at) => bodies.slice(at, at + 1))];
      for (const [at, body] of sent.entries()) {
        const lines = ndjsonLines(body.filter((one) => one !== undefined));
        const answer = await apps[at % 2 === 0 ? 0 : 1].send(lines);
        assert.equal(answer.status, 200);
      }
      const came = new Set(sent.flat().filter((one) => one !== undefined));
      const rows = await apps[0].sql<{ line: string; rule: string }[]>`
        select event_id || ' ' || rule_id || ' ' || chat_id as line, rule_id as rule from alerts
        where event_id = any(${documents.map(({ event }) => event.id)}::text[])`;
      assert.deepEqual(rows.map(({ line }) => line).sort(), modelOf([...came]).sort());
      for (const { rule } of rows) seen.set(rule, (seen.get(rule) ?? 0) + 1);
    }),
    { numRuns: runsOr(40), endOnFailure: true },
  );
  assert.deepEqual(
    RULES.filter(({ id, enabled = true }) => enabled !== seen.has(id)).map(({ id }) => id),
    [],
    'each rule had something to say',
  );
});
