/**
 * Takes files of events as XML (or standard input), gives their events in the order of the files.
 * Keeps: UTF-8, or UTF-16 where a byte order mark says so; a file that breaks off or holds something else is reported and left.
 */
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { type Source, unreadable } from './captured-event.ts';
import { createEventScanner } from './event-scanner.ts';
import { type BatchSettings, type FilePiece, fileBatches } from './file-batches.ts';
import { filePieces, streamPieces } from './read-pieces.ts';

export interface ReplayOptions extends BatchSettings {
  /** Paths; `-` is `stdin`. */
  readonly files: readonly string[];
  readonly stdin: Readable;
}

function decoderOf(first: Buffer): TextDecoder {
  const mark = first.subarray(0, 2).toString('hex');
  if (mark === 'fffe') return new TextDecoder('utf-16le');
  return new TextDecoder(mark === 'feff' ? 'utf-16be' : 'utf-8');
}

async function* readText(pieces: AsyncIterable<Buffer>): AsyncGenerator<string, void> {
  let decoder: TextDecoder | undefined;
  for await (const bytes of pieces) {
    decoder ??= decoderOf(bytes);
    yield decoder.decode(bytes, { stream: true });
  }
  if (decoder !== undefined) yield decoder.decode();
}

async function* readFile(file: string, options: ReplayOptions): AsyncGenerator<FilePiece, void> {
  const standardInput = file === '-';
  const name = standardInput ? 'standard input' : file;
  const scanner = createEventScanner(name);
  const pieces = standardInput ? streamPieces(options.stdin) : filePieces(file);
  try {
    for await (const text of readText(pieces))
      yield { ...scanner.push(text), waiting: standardInput };
  } catch (error) {
    const reason = `Reading broke off: ${error instanceof Error ? error.message : String(error)}.`;
    yield { events: [], facts: [unreadable(name, reason, '')] };
  }
  yield scanner.end();
}

/** Makes the source of XML files. */
export function createReplaySource(options: ReplayOptions): Source {
  async function* pieces(): AsyncGenerator<FilePiece, void> {
    for (const file of options.files) yield* readFile(file, options);
  }
  return {
    name: 'replay',
    batches: (_from, signal) => fileBatches(pieces(), options, signal),
  };
}
