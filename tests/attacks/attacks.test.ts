/**
 * Goal: whatever comes in, the answers are the documented ones, memory stays bounded, and an agent that does nothing wrong is served.
 * Method: every attack of `make attacks`, with fewer tries, against one real collector process that lives through all of them.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { ATTACKS } from './attacks.ts';
import { makeAttack } from './make-attack.ts';
import { type AttackSite, startSite } from './site.ts';

const SHARE = 0.04;
const atEnd: (() => unknown)[] = [];
let site: AttackSite;

before(async () => {
  const t = { after: (end: () => unknown) => void atEnd.push(end) };
  const { url } = await testDatabase(t as never);
  site = await startSite(temporaryFolder(t as never), url, '1s');
});
after(async () => {
  await site.stop();
  for (const end of atEnd.reverse()) await end();
});

for (const attack of ATTACKS.filter((one) => one.slow !== true)) {
  test(`attack: ${attack.name}`, async () => {
    const figures = await makeAttack(site, attack, SHARE);
    assert.deepEqual(figures.wrong, [], JSON.stringify(figures));
  });
}

test('all attacks that only wait, side by side: each connection is ended by the collector', async () => {
  const slow = ATTACKS.filter((one) => one.slow === true);
  const all = await Promise.all(slow.map((attack) => makeAttack(site, attack, SHARE)));
  for (const figures of all) assert.deepEqual(figures.wrong, [], JSON.stringify(figures));
});

test('the collector lived through all of it, without a bug in its log', async () => {
  assert.doesNotMatch(site.collector.stderr(), /this is a bug/);
});
