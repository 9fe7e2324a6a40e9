/**
 * One engine for all chunks: each comes out as if it had been alone, and nothing is kept for each.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { constants, gunzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { createCompressor } from './compress-chunk.ts';

const MIB = 1024 * 1024;

/** Lines that look like a spool's: much is the same, much is not. */
function linesOf(bytes: number, seed: number): Buffer {
  let text = '';
  for (let n = seed; text.length < bytes; n += 1)
    text += `{"event":{"id":"${Math.imul(n, 0x9e3779b9) >>> 0}","code":"4688"},"user":"Иванов ${n % 7}"}\n`;
  return Buffer.from(text).subarray(0, bytes);
}

/** Bytes that no compressor makes smaller. */
function noiseOf(bytes: number): Buffer {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length: bytes }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

/** A frame of its own, with its size: what an agent that has just started makes. */
const alone = (bytes: Buffer): Buffer =>
  zstdCompressSync(bytes, {
    params: { [constants.ZSTD_c_compressionLevel]: 1 },
    pledgedSrcSize: bytes.length,
  });

test('a chunk gives the same bytes whatever was compressed before it, and says its size', async () => {
  const compress = createCompressor();
  const sizes = [1, 300, 2 * MIB, 70_000, MIB, MIB - 1, 65_536, 9, 300_000];
  for (let round = 0; round < 6; round += 1) {
    for (const size of sizes) {
      const bytes = size % 2 === round % 2 ? linesOf(size, round * 1000) : noiseOf(size);
      const frame = await compress(bytes, 'zstd');
      assert.ok(frame.equals(alone(bytes)), `${size} bytes in round ${round}`);
      assert.ok(zstdDecompressSync(frame).equals(bytes));
    }
  }
});

test('gzip is there for collectors that take nothing else', async () => {
  const bytes = linesOf(100_000, 0);
  assert.ok(gunzipSync(await createCompressor()(bytes, 'gzip')).equals(bytes));
});

test('a long backlog leaves nothing that waits for the great round of the garbage collector', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as (options: { type: 'minor' }) => void;
  const compress = createCompressor();
  const bytes = linesOf(MIB, 0);
  const heldAfter = async (chunks: number): Promise<number> => {
    for (let n = 0; n < chunks; n += 1) {
      await compress(bytes, 'zstd');
      if (n % 5 === 0) collect({ type: 'minor' });
    }
    collect({ type: 'minor' });
    return process.memoryUsage().arrayBuffers / MIB;
  };
  const few = await heldAfter(10);
  const many = await heldAfter(100);
  assert.ok(many - few < 2, `${few} MiB, then ${many} MiB`);
});
