/**
 * Goal: many agents at once lose nothing, double nothing, see no error but "come again", and none of them is served at another's cost.
 * Method: the whole form's program with fewer agents and a smaller backlog, against a real collector.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runFleet } from '../../bench/fleet/run-fleet.ts';
import { testDatabase } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SIZES = { agents: 60, seconds: 3, backlog: 250, chunkBytes: 64 * 1024 };

test('a fleet that trickles and then has a backlog each: all there once, no error, fair', {
  skip: process.platform === 'linux' ? false : 'memory comes from /proc',
}, async (t) => {
  const { url } = await testDatabase(t);
  const options = { ...SIZES, folder: temporaryFolder(t), postgresUrl: url, timeoutMs: 120_000 };
  const figures = await runFleet(options);
  const { answers, drainReceipts, sent } = figures;
  assert.ok(sent >= SIZES.agents * (SIZES.backlog + SIZES.seconds - 1), JSON.stringify(figures));
  assert.deepEqual([figures.lost, figures.doubled], [0, 0]);
  const strange = Object.keys(answers).filter((one) => !['200', '429', '503'].includes(one));
  assert.deepEqual(strange, [], JSON.stringify(answers));
  // In receipts, not in seconds: a busy machine stretches all agents alike.
  assert.ok(drainReceipts.slowest <= 2 * drainReceipts.fastest, JSON.stringify(drainReceipts));
});
