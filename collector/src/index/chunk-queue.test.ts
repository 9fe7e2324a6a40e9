/** Goal: batches fit requests and memory stays bounded. Method: a queue by itself, with chunks whose bytes tell what was read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { zstdCompressSync } from 'node:zlib';
import type { HeldChunk } from './chunk-leases.ts';
import { createChunkQueue } from './chunk-queue.ts';

const LINE_BYTES = 100;
const NEVER = new AbortController().signal;

/** A chunk of so many lines of 100 bytes; `raw` goes with it where `isOpen`. */
function heldOf(id: number, lines: number, isOpen: boolean, mark = 'a'): HeldChunk {
  const raw = Buffer.from(`${mark.repeat(LINE_BYTES - 1)}\n`.repeat(lines));
  const chunk = {
    ...{ id, agentId: 'x', namespace: 'default', encoding: 'zstd' as const, lines, attempts: 0 },
    body: zstdCompressSync(raw),
    lineIds: Buffer.alloc(lines * 16, 1),
    rejectedLines: [],
  };
  return {
    ...{ id: String(id), suspicious: false, attempts: 0, leaseEndsMs: 0 },
    chunk: isOpen ? { ...chunk, raw } : chunk,
  };
}

const queueOf = (batchLines: number) =>
  createChunkQueue({ bytesMax: 1e6, batchBytes: batchLines * LINE_BYTES, lingerMs: 1 });

for (const [name, each, want] of [
  ['chunks that nearly fill it are not split over two requests', 21, [84, 21]],
  ['chunks that fill it exactly fill it', 25, [100, 25]],
  ['small chunks fill it to the last', 1, [100, 5]],
  ['a chunk that is larger goes alone', 150, [150, 150]],
] as const) {
  test(`take() gives batches of one request: ${name}`, async () => {
    const queue = queueOf(100);
    const total = want[0] + want[1];
    for (let id = 0; id * each < total; id += 1) queue.push(heldOf(id, each, false));
    const sizes = [];
    for (const _ of want) sizes.push((await queue.take(NEVER))?.lines.length);
    assert.deepEqual(sizes, want);
    assert.equal(queue.bytes, 0);
  });
}

/** Its bytes when opened are others than those that were compressed: tells which were read. */
function twoFaced(id: number): HeldChunk {
  const held = heldOf(id, 50, true, 'a');
  return { ...held, chunk: { ...held.chunk, body: heldOf(id, 50, false, 'b').chunk.body } };
}

test('push() keeps two batches decompressed, and lets go of the rest until their turn', async () => {
  const queue = queueOf(100);
  for (let id = 0; id < 8; id += 1) queue.push(twoFaced(id));
  const open = () => queue.waiting.filter(({ chunk }) => chunk.raw !== undefined).length;
  assert.equal(open(), 4);
  const read = [];
  for (let batch = 0; batch < 4; batch += 1) {
    const lines = (await queue.take(NEVER))?.lines ?? [];
    assert.equal(lines.length, 100);
    read.push(new Set(lines.map(({ bytes }) => bytes.toString('latin1', 0, 1))));
  }
  assert.deepEqual(read, [new Set('a'), new Set('a'), new Set('b'), new Set('b')]);
  // What was taken or removed has left its room to the next.
  queue.push(twoFaced(8));
  queue.remove('8');
  for (let id = 9; id < 14; id += 1) queue.push(twoFaced(id));
  assert.equal(open(), 4);
  queue.drain();
  queue.push(twoFaced(14));
  assert.equal(open(), 1);
});
