/**
 * Takes files of events as XML (or standard input), gives their events in the order of the files.
 * Keeps: UTF-8, or UTF-16 where a byte order mark says so; a file that breaks off or holds something else is reported and left.
 */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { TextDecoder } from 'node:util';
import { type Source, unreadable } from './captured-event.ts';
import { createEventScanner } from './event-scanner.ts';
import { type BatchSettings, type FilePiece, fileBatches } from './file-batches.ts';

export interface ReplayOptions extends BatchSettings {
  /** Paths; `-` is `stdin`. */
  readonly files: readonly string[];
  readonly stdin: Readable;
}

/**
 * Read at a time. Every event is a part of the text that it was cut from and holds it; a text twice as large would no more be
 * among what the garbage collector looks at often.
 */
const READ_BYTES = 32 * 1024;

function decoderOf(first: Buffer): TextDecoder {
  const mark = first.subarray(0, 2).toString('hex');
  if (mark === 'fffe') return new TextDecoder('utf-16le');
  return new TextDecoder(mark === 'feff' ? 'utf-16be' : 'utf-8');
}

async function* readText(stream: Readable): AsyncGenerator<string, void> {
  let decoder: TextDecoder | undefined;
  for await (const piece of stream) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : (piece as Buffer);
    decoder ??= decoderOf(bytes);
    yield decoder.decode(bytes, { stream: true });
  }
  if (decoder !== undefined) yield decoder.decode();
}

const fileStream = (file: string): Readable =>
  createReadStream(file, { highWaterMark: READ_BYTES });

async function* readFile(file: string, options: ReplayOptions): AsyncGenerator<FilePiece, void> {
  const standardInput = file === '-';
  const name = standardInput ? 'standard input' : file;
  const scanner = createEventScanner(name);
  try {
    for await (const text of readText(standardInput ? options.stdin : fileStream(file)))
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
