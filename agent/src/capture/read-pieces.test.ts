/**
 * Files and streams in pieces: all bytes in their order, a named pipe too, and the event loop has its turns.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { filePieces, streamPieces } from './read-pieces.ts';

/** All bytes as text; a piece is done with before the next one comes, so each is copied. */
async function textOf(pieces: AsyncIterable<Buffer>): Promise<string> {
  const copies: Buffer[] = [];
  for await (const piece of pieces) copies.push(Buffer.from(piece));
  return Buffer.concat(copies).toString();
}

test('a file comes whole and in its order, an empty one as nothing', async (t) => {
  const folder = temporaryFolder(t);
  const text = Array.from({ length: 30_000 }, (_, n) => `line ${n}\n`).join('');
  writeFileSync(join(folder, 'long'), text);
  writeFileSync(join(folder, 'empty'), '');
  assert.equal(await textOf(filePieces(join(folder, 'long'))), text);
  assert.equal(await textOf(filePieces(join(folder, 'empty'))), '');
  await assert.rejects(textOf(filePieces(join(folder, 'none'))), /ENOENT/);
});

test('a timer fires while a long file is read', async (t) => {
  const file = join(temporaryFolder(t), 'long');
  writeFileSync(file, Buffer.alloc(8 * 1024 * 1024));
  let turns = 0;
  const timer = setInterval(() => {
    turns += 1;
  }, 0);
  t.after(() => clearInterval(timer));
  for await (const piece of filePieces(file)) if (turns === 0) piece.toString('hex');
  assert.ok(turns > 0);
});

test('a named pipe is read as it is written', { skip: process.platform === 'win32' }, async (t) => {
  const pipe = join(temporaryFolder(t), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const written = writeFile(pipe, 'from a pipe');
  assert.equal(await textOf(filePieces(pipe)), 'from a pipe');
  await written;
});

test('a stream of text gives bytes', async () => {
  assert.equal(await textOf(streamPieces(Readable.from(['да, ', Buffer.from('и')]))), 'да, и');
});
