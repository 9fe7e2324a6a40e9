/** Goal: the bytes that come out are the lines that went in. Method: lines of every size, also ones that the buffer cannot hold. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLineBuffer } from './line-buffer.ts';

test('a line buffer gives every byte of every line, in order', () => {
  const line = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 200 }),
    fc.integer({ min: 20_000, max: 90_000 }).map((units) => 'Ж'.repeat(units)),
  );
  fc.assert(
    fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
      const given: string[] = [];
      const buffer = createLineBuffer((bytes) => given.push(Buffer.from(bytes).toString('utf8')));
      for (const one of lines) buffer.add(`${one}\n`);
      buffer.flush();
      assert.equal(given.join(''), lines.map((one) => `${one}\n`).join(''));
    }),
    { numRuns: 200 },
  );
});

test('clear() forgets what waits', () => {
  const given: Uint8Array[] = [];
  const buffer = createLineBuffer((bytes) => given.push(bytes));
  buffer.add('half a batch\n');
  buffer.clear();
  buffer.flush();
  assert.deepEqual(given, []);
});
