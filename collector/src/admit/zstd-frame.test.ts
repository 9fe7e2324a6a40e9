/**
 * Goal: a frame is opened in one go exactly where its header says how much is in it, and a header that lies gets nothing.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdCompressSync } from 'node:zlib';
import { contentSize, openFrame } from './zstd-frame.ts';

const raw = (bytes: number): Buffer =>
  Buffer.from('0123456789 события\n'.repeat(bytes)).subarray(0, bytes);

test('contentSize() reads sizes of one, two, four and eight bytes', () => {
  for (const bytes of [40, 255, 256, 300, 65_791, 65_792, 1_000_000]) {
    const frame = zstdCompressSync(raw(bytes));
    assert.equal(contentSize(frame), bytes);
    assert.ok(openFrame(frame, bytes).equals(raw(bytes)));
  }
  // A level with a window of its own, so not a single segment.
  const long = zstdCompressSync(raw(20_000_000), {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
  });
  assert.equal(contentSize(long), 20_000_000);
  const eight = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0xe0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  assert.equal(contentSize(eight), 2 * 2 ** 32 + 1);
});

test('contentSize() knows nothing of a stream, of gzip and of what is short', async () => {
  assert.equal(contentSize(await promisify(zstdCompress)(raw(5000))), undefined);
  assert.equal(contentSize(Buffer.from('1f8b0800000000000000'.repeat(3), 'hex')), undefined);
  assert.equal(contentSize(zstdCompressSync(raw(5000)).subarray(0, 8)), undefined);
});

test('openFrame() refuses a frame that holds more or less than it says, one that is cut, and one that is followed', () => {
  const frame = zstdCompressSync(raw(5000));
  for (const wrong of [4999, 5001, 1, 0]) assert.throws(() => openFrame(frame, wrong));
  assert.throws(() => openFrame(frame.subarray(0, -3), 5000));
  assert.throws(() => openFrame(Buffer.concat([frame, frame]), 5000), /follows/);
  assert.throws(() => openFrame(Buffer.concat([frame, Buffer.from('x')]), 5000));
});
