/** Goal: a picture stays the one that Chromium took. Method: a picture of four rows, one for each filter of PNG, taken apart again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { smallPng } from './small-png.ts';

function chunk(type: string, data: readonly number[] | Buffer): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), Buffer.from(data)]);
  const out = Buffer.alloc(named.length + 8);
  out.writeUInt32BE(named.length - 4, 0);
  named.copy(out, 4);
  out.writeUInt32BE(crc32(named), named.length + 4);
  return out;
}

/** Two pixels a row, red, green and blue; the rows are (10,20,30) (20,40,60) four times, each written with another filter. */
const ROWS = [
  [1, 10, 20, 30, 10, 20, 30],
  [2, 0, 0, 0, 0, 0, 0],
  [3, 5, 10, 15, 5, 10, 15],
  [4, 0, 0, 0, 0, 0, 0],
].flat();

const PNG = Buffer.concat([
  Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
  chunk('IHDR', [0, 0, 0, 2, 0, 0, 0, 4, 8, 2, 0, 0, 0]),
  chunk('IDAT', deflateSync(Buffer.from(ROWS))),
  chunk('IEND', []),
]);

function dataOf(png: Buffer, type: string): Buffer {
  const at = png.indexOf(type, 0, 'latin1');
  assert.ok(at > 0, `no ${type}`);
  const size = png.readUInt32BE(at - 4);
  assert.equal(crc32(png.subarray(at, at + 4 + size)), png.readUInt32BE(at + 4 + size));
  return png.subarray(at + 4, at + 4 + size);
}

test('smallPng() keeps every pixel, whatever filter its row came with', () => {
  const small = smallPng(PNG);
  assert.deepEqual([...dataOf(small, 'IHDR')], [0, 0, 0, 2, 0, 0, 0, 4, 8, 3, 0, 0, 0]);
  assert.deepEqual([...dataOf(small, 'PLTE')], [10, 20, 30, 20, 40, 60]);
  const row = [0, 0, 1];
  assert.deepEqual([...inflateSync(dataOf(small, 'IDAT'))], [...row, ...row, ...row, ...row]);
});

test('smallPng() refuses what is no PNG', () => {
  assert.throws(() => smallPng(Buffer.from('GIF89a')), /not a PNG/);
});
