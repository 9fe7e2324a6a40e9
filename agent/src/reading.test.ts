/** Goal: nothing that was read vanishes. Method: batches go through a real spool; a disk that refuses is one that was taken away. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { processStart } from '../../tests/support/documents.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import type { CaptureBatch, Position } from './capture/captured-event.ts';
import type { MapOutcome, Mapper } from './map/create-mapper.ts';
import { createReading } from './reading.ts';
import { openSpool, type Spool } from './spool/open-spool.ts';
import { spoolConfigSchema } from './spool/spool-config.ts';

interface Line {
  readonly level: 'info' | 'warn' | 'error';
  readonly message: string;
}

/** What the stages said. */
function recordingLog() {
  const lines: Line[] = [];
  const at =
    (level: Line['level']) =>
    (_fields: unknown, message: string): void =>
      void lines.push({ level, message });
  return {
    lines,
    log: { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') },
  };
}

async function openReading(t: TestContext, mapper: Mapper) {
  const folder = join(temporaryFolder(t), 'spool');
  const { lines, log } = recordingLog();
  const spool = await openSpool({ folder, config: spoolConfigSchema.parse({}), log });
  t.after(() => spool.close());
  const positions: Position[] = [];
  const failing = { times: 0 };
  const watched: Spool = {
    ...spool,
    folder,
    async append(documents, signal) {
      if (failing.times > 0) {
        failing.times -= 1;
        throw new Error('ENOSPC: no space left on device');
      }
      await spool.append(documents, signal);
    },
  };
  const position = { write: (one: Position) => void positions.push(one) };
  return {
    folder,
    lines,
    positions,
    failing,
    reading: createReading({ mapper, spool: watched, position, log }),
  };
}

const spooled = (folder: string): string[] =>
  globSync(join(folder, 'launchbeat.*.ndjson'))
    .flatMap((file) => readFileSync(file, 'utf8').split('\n'))
    .filter((line) => line !== '');

/** Maps by what the "XML" says. */
const mapper: Mapper = {
  map({ xml }): MapOutcome {
    if (xml === 'refuse') return { outcome: 'refused', reason: 'Event has no System/Computer.' };
    if (xml === 'system') return { outcome: 'left_out', reason: 'system_account' };
    return { outcome: 'done', document: processStart(), watched: true };
  },
  redact: (text) => text,
};

const AT: Position = { recordId: 7, scannedId: 9, timeMs: 1 };
const batch = (...events: string[]): CaptureBatch => ({
  events: events.map((xml) => ({ xml, readAtMs: 0 })),
  facts: [],
  position: AT,
});

test('keep() counts every event once: done, left out by reason, refused', async (t) => {
  const { folder, reading, positions } = await openReading(t, mapper);
  await reading.keep(batch('a', 'system', 'b', 'refuse', 'system'), new AbortController().signal);
  assert.deepEqual(reading.metrics(), {
    'capture.read': 5,
    'map.done': 2,
    'map.left_out.system_account': 2,
    'map.refused': 1,
  });
  assert.equal(spooled(folder).length, 2);
  assert.deepEqual(positions, [AT]);
});

test('keep() puts what cannot be mapped into quarantine with its reason and text, and says so as an error', async (t) => {
  const { folder, lines, reading } = await openReading(t, mapper);
  await reading.keep(batch('refuse'), new AbortController().signal);
  const kept = globSync(join(folder, 'quarantine', '*'))
    .map((file) => readFileSync(file, 'utf8'))
    .join('');
  assert.match(kept, /Event has no System\/Computer/);
  assert.match(kept, /refuse/);
  assert.deepEqual(lines.filter((line) => line.level === 'error').length, 1);
});

test('keep() waits for a disk that refuses, moves the position only then, and says both', async (t) => {
  const { folder, failing, lines, positions, reading } = await openReading(t, mapper);
  failing.times = 1;
  const keeping = reading.keep(batch('a'), new AbortController().signal);
  assert.deepEqual(positions, []);
  await keeping;
  assert.equal(spooled(folder).length, 1);
  assert.deepEqual(positions, [AT]);
  assert.deepEqual(
    lines.map((line) => line.level),
    ['error', 'info'],
  );
  assert.equal(reading.metrics()['spool.waits'], 1);
});

test('keep() ends when it is asked to while the disk refuses; the position stays', async (t) => {
  const { failing, positions, reading } = await openReading(t, mapper);
  failing.times = Number.POSITIVE_INFINITY;
  const ending = new AbortController();
  const keeping = reading.keep(batch('a'), ending.signal);
  ending.abort();
  await assert.rejects(keeping);
  assert.deepEqual(positions, []);
  assert.equal(
    reading.metrics()['capture.read'],
    undefined,
    'what is read again is not counted twice',
  );
});

test('keep() tells a gap as an error with its range', async (t) => {
  const { lines, reading } = await openReading(t, mapper);
  const gap = { kind: 'gap', from: 10, to: 20, cause: 'rolled', starts: 7 } as const;
  await reading.keep({ events: [], facts: [gap] }, new AbortController().signal);
  assert.deepEqual(lines, [
    {
      level: 'error',
      message:
        'Events are lost: Security log rolled over faster than it was read; records 10 to 20 were not read (11, about 7 process starts). A larger log keeps more.',
    },
  ]);
});
