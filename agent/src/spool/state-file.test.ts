/**
 * State files, identity and position on files as crashes leave them.
 */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Log, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { agentIdentity } from './agent-identity.ts';
import { openPosition } from './position.ts';
import { quarantine } from './quarantine.ts';
import { readStateFile, writeStateFile } from './state-file.ts';

const schema = z.object({ n: z.int() });

test('writeStateFile() keeps the value and the one before it', (t) => {
  const file = join(temporaryFolder(t), 'deep', 'state.json');
  assert.equal(readStateFile(file, schema, SILENT_LOG), undefined);
  writeStateFile(file, { n: 1 });
  writeStateFile(file, { n: 2 });
  assert.deepEqual(readStateFile(file, schema, SILENT_LOG), { n: 2 });
  assert.equal(readFileSync(`${file}.old`, 'utf8'), '{"n":1}\n');
});

for (const [name, content] of [
  ['NULs', Buffer.alloc(9)],
  ['garbage', Buffer.from([0xff, 0xfe, 0x7b])],
  ['half a file', Buffer.from('{"n":')],
  ['an empty file', Buffer.alloc(0)],
  ['another value', Buffer.from('{"m":1}')],
] as const) {
  test(`readStateFile() takes the value before, with a warning: ${name}`, (t) => {
    const file = join(temporaryFolder(t), 'state.json');
    writeStateFile(file, { n: 1 });
    writeStateFile(file, { n: 2 });
    writeFileSync(file, content);
    let warnings = 0;
    const log: Log = {
      ...SILENT_LOG,
      warn: () => {
        warnings += 1;
      },
    };
    assert.deepEqual(readStateFile(file, schema, log), { n: 1 });
    assert.equal(warnings, 1);
    writeFileSync(`${file}.old`, content);
    assert.equal(readStateFile(file, schema, log), undefined);
    writeStateFile(file, { n: 3 });
    assert.deepEqual(readStateFile(file, schema, log), { n: 3 });
  });
}

test('writeStateFile() does not push the good old value away with a broken one', (t) => {
  const file = join(temporaryFolder(t), 'state.json');
  writeStateFile(file, { n: 1 });
  writeStateFile(file, { n: 2 });
  writeFileSync(file, Buffer.alloc(9));
  writeStateFile(file, { n: 3 });
  assert.equal(readFileSync(`${file}.old`, 'utf8'), '{"n":1}\n');
});

test('writeStateFile() throws when it cannot write, and the value before stays', (t) => {
  const file = join(temporaryFolder(t), 'state.json');
  writeStateFile(file, { n: 1 });
  mkdirSync(`${file}.new`);
  assert.throws(() => writeStateFile(file, { n: 2 }), { code: /EISDIR$/ });
  assert.deepEqual(readStateFile(file, schema, SILENT_LOG), { n: 1 });
});

test('agentIdentity() makes an id once and keeps it, also when its file is broken', (t) => {
  const folder = temporaryFolder(t);
  const { id } = agentIdentity(folder, SILENT_LOG);
  assert.match(id, /^[0-9a-f-]{36}$/);
  writeFileSync(join(folder, 'agent.json'), Buffer.alloc(64));
  assert.equal(agentIdentity(folder, SILENT_LOG).id, id);
  rmSync(join(folder, 'agent.json'));
  assert.equal(agentIdentity(folder, SILENT_LOG).id, id);
});

const last = {
  ...{ recordId: 77, timeMs: 5000, channel: 'Security', namespace: 'default', agentId: 'a' },
  computer: `${hostname().toUpperCase()}.acme.local`,
};

test('openPosition(): the stored position wins over the last line of the spool', (t) => {
  const position = openPosition(temporaryFolder(t), SILENT_LOG);
  const stored = { recordId: 5, scannedId: 9, timeMs: 1 };
  position.write(stored);
  assert.deepEqual(position.read({ outcome: 'done', tornBytes: 0, last }), stored);
});

test('openPosition(): without a stored one, the last line counts if it is of this computer', (t) => {
  const position = openPosition(temporaryFolder(t), SILENT_LOG);
  const read = (line: typeof last | undefined) =>
    position.read({ outcome: 'done', tornBytes: 0, ...(line === undefined ? {} : { last: line }) });
  assert.deepEqual(read(last), { recordId: 77, scannedId: 77, timeMs: 5000 });
  assert.equal(read({ ...last, computer: 'OTHER-PC' }), undefined);
  assert.equal(read({ ...last, channel: 'ForwardedEvents' }), undefined);
  assert.equal(read({ ...last, recordId: Number.NaN }), undefined);
  assert.equal(read(undefined), undefined);
});

test('openPosition(): of forwarded events no line says the place in the log: it is read again from its oldest record', (t) => {
  const position = openPosition(temporaryFolder(t), SILENT_LOG);
  const recovered = { outcome: 'done', tornBytes: 0 } as const;
  assert.equal(position.read(recovered, 'forwarded-events'), undefined, 'the very first start');
  const before = { recordId: -1, scannedId: -1, timeMs: 5000, log: 'ForwardedEvents' };
  assert.deepEqual(position.read({ ...recovered, last }, 'forwarded-events'), before);
  const stored = { recordId: 5, scannedId: 9, timeMs: 1, log: 'ForwardedEvents' } as const;
  position.write(stored);
  assert.deepEqual(position.read({ ...recovered, last }, 'forwarded-events'), stored);
});

test('quarantine() stays bounded: the oldest entries go, and it says how many bytes', (t) => {
  const folder = temporaryFolder(t);
  const bytes = Buffer.alloc(7 * 1024 * 1024, 'x');
  let dropped = 0;
  for (let round = 0; round < 12; round += 1) {
    dropped += quarantine(folder, { reason: `round ${round}`, place: 'test', bytes }).droppedBytes;
  }
  assert.ok(dropped > 0);
  assert.ok(!existsSync(join(folder, 'quarantine', 'quarantine.1.ndjson')));
});

test('quarantine() keeps bytes that are no text, and goes on behind a torn entry', (t) => {
  const folder = temporaryFolder(t);
  quarantine(folder, { reason: 'a', place: 'p', bytes: Buffer.from([0xff, 0x00, 0xfe]) });
  const file = join(folder, 'quarantine', 'quarantine.1.ndjson');
  writeFileSync(file, `${readFileSync(file, 'utf8')}{"torn":`);
  quarantine(folder, { reason: 'b', place: 'p', bytes: Buffer.from('text') });
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith('}'));
  const entries = lines.map((line) => JSON.parse(line) as { base64?: string; text?: string });
  assert.deepEqual(
    entries.map((one) => one.base64 ?? one.text),
    ['/wD+', 'text'],
  );
});
