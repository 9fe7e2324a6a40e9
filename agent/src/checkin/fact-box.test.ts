/** Goal: a loss that was seen is told, whatever happens to the agent. Method: a second box on the folder of one that was never stored. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { openFactBox } from './fact-box.ts';

const GAP = { kind: 'gap', level: 'error', reason: 'rolled over', from: 1, to: 9 } as const;
const RESTART = { kind: 'restart', level: 'warn', reason: 'reader ended' } as const;

test('note() has a loss on disk at once: a crash does not take it', (t) => {
  const folder = temporaryFolder(t);
  const box = openFactBox(folder, SILENT_LOG);
  box.note(RESTART);
  assert.deepEqual(openFactBox(folder, SILENT_LOG).take(10), [], 'what loses nothing may wait');
  box.note(GAP);
  const kept = openFactBox(folder, SILENT_LOG).take(10);
  assert.deepEqual(
    kept.map((fact) => fact.kind),
    ['restart', 'gap'],
  );
});
