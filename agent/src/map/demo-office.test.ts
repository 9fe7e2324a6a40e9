/**
 * Goal: the recording that the demo plays shows what the product is for. Method: map it as an operator would by default.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { processStartSchema } from '@launchbeat/ecs-schemas';
import { createMapper } from './create-mapper.ts';
import { mapConfigSchema } from './map-config.ts';

const RECORDING = new URL('../../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url);
const lines = readFileSync(RECORDING, 'utf8').trimEnd().split('\n');
const outcomes = (config: unknown) => {
  const mapper = createMapper({
    config: mapConfigSchema.parse(config),
    agent: {
      id: '4f0b7c1e-58a3-4d0e-9a6b-2f6a1c9d7e55',
      name: 'office',
      version: '0.1.0',
      ephemeralId: '0d2b9a3c-7f41-4f5e-8a57-6c1d2e3f4a5b',
    },
    namespace: 'default',
  });
  return lines.map((xml) => mapper.map({ xml, readAtMs: 0 }));
};

test('the office has 15 launches of watched programs by people, of all four programs', () => {
  const launches = outcomes({}).flatMap((outcome) =>
    outcome.outcome === 'done' ? [outcome.document] : [],
  );
  assert.deepEqual(
    launches.map(({ launchbeat }) => `${launchbeat.actor.name} ${launchbeat.program}`).sort(),
    [
      'emma.wilson Explorer',
      'emma.wilson Google Chrome',
      'emma.wilson Telegram',
      'j.brown Explorer',
      'j.brown Google Chrome',
      'j.brown Telegram',
      'm.petrov Google Chrome',
      'm.petrov Yandex Browser',
      'Анна Смирнова Explorer',
      'Анна Смирнова Telegram',
      'Иванова Explorer',
      'Иванова Google Chrome',
      'Соколов Telegram',
      'Соколов Yandex Browser',
      'Соколов Yandex Browser',
    ],
  );
  for (const document of launches) assert.ok(document.launchbeat.launch);
});

test('the office has helpers, system accounts and neighbours, and nothing broken', () => {
  const reasons = new Map<string, number>();
  for (const outcome of outcomes({ select: 'all' })) {
    assert.notEqual(outcome.outcome, 'refused');
    const key = 'reason' in outcome ? outcome.reason : outcome.outcome;
    reasons.set(key, (reasons.get(key) ?? 0) + 1);
    if (outcome.outcome === 'done')
      assert.ok(processStartSchema.safeParse(outcome.document).success);
  }
  assert.ok((reasons.get('helper_process') ?? 0) >= 20, JSON.stringify([...reasons]));
  assert.ok((reasons.get('system_account') ?? 0) >= 40, JSON.stringify([...reasons]));
  assert.ok((reasons.get('done') ?? 0) >= 35, JSON.stringify([...reasons]));
});

test('every event of the office has an id of its own', () => {
  const everything = {
    select: 'all',
    exclude: { system_accounts: false, helper_processes: false },
  };
  const ids = outcomes(everything).map((outcome) =>
    outcome.outcome === 'done' ? outcome.document.event.id : '',
  );
  assert.equal(new Set(ids).size, lines.length);
});
