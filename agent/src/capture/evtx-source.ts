/**
 * Takes saved event logs (.evtx), gives their process starts.
 * Keeps: one chunk of 64 KiB in memory, so that a log may have any size; a record or chunk that cannot be read is reported and
 * the next one is tried; chunks are counted by the file's size, since the header of a log in use says too few.
 * Source: libevtx's description of the format (file header 4,096 bytes, then chunks of 65,536 bytes).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { EvtxFile } from '@ts-evtx/core';
import { type Source, type SourceFact, unreadable } from './captured-event.ts';
import { eventCodeOf, windowsXml } from './evtx-xml.ts';
import { type BatchSettings, type FilePiece, fileBatches } from './file-batches.ts';

export interface EvtxOptions extends BatchSettings {
  readonly files: readonly string[];
}

const HEADER_BYTES = 4096;
const CHUNK_BYTES = 65_536;
const FILE_MAGIC = 'ElfFile\0';
const CHUNK_MAGIC = 'ElfChnk\0';
const PROCESS_START_CODE = '4688';

const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Reads the process starts of one chunk; `file` is the log's header and this chunk alone. */
function readChunk(file: Buffer, place: string): FilePiece {
  const events: string[] = [];
  const facts: SourceFact[] = [];
  let recordId = '';
  try {
    const [chunk] = new EvtxFile(file).header.chunks(true);
    if (chunk?.verify() !== true)
      facts.push({
        kind: 'warning',
        reason: `${place}: its checksum does not match; reading what can be read.`,
      });
    for (const record of chunk?.records() ?? []) {
      recordId = String(record.recordNum());
      try {
        const xml = record.renderXml();
        if (eventCodeOf(xml) === PROCESS_START_CODE) events.push(windowsXml(xml));
      } catch (error) {
        facts.push(
          unreadable(`${place}, record ${recordId}`, `Record is broken: ${messageOf(error)}.`, ''),
        );
      }
    }
  } catch (error) {
    const where = recordId === '' ? place : `${place}, after record ${recordId}`;
    facts.push(unreadable(where, `Chunk is broken: ${messageOf(error)}.`, ''));
  }
  return { events, facts };
}

async function readAt(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  const { bytesRead } = await handle.read(buffer, 0, length, position);
  return buffer.subarray(0, bytesRead);
}

async function* readChunks(handle: FileHandle, name: string): AsyncGenerator<FilePiece, void> {
  const header = await readAt(handle, 0, HEADER_BYTES);
  if (header.toString('latin1', 0, 8) !== FILE_MAGIC || header.length < HEADER_BYTES) {
    yield { events: [], facts: [unreadable(name, 'File is no .evtx log.', '')] };
    return;
  }
  for (let number = 0; ; number += 1) {
    const chunk = await readAt(handle, HEADER_BYTES + number * CHUNK_BYTES, CHUNK_BYTES);
    if (chunk.length === 0) return;
    const place = `${name}, chunk ${number}`;
    if (chunk.length < CHUNK_BYTES) {
      yield {
        events: [],
        facts: [unreadable(place, `File ends within it, after ${chunk.length} bytes.`, '')],
      };
      return;
    }
    // A log is made in advance: chunks not yet used are zeros.
    if (chunk.every((byte) => byte === 0)) continue;
    if (chunk.toString('latin1', 0, 8) === CHUNK_MAGIC)
      yield readChunk(Buffer.concat([header, chunk]), place);
    else yield { events: [], facts: [unreadable(place, 'It does not begin as a chunk does.', '')] };
  }
}

async function* readLog(name: string): AsyncGenerator<FilePiece, void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(name);
    yield* readChunks(handle, name);
  } catch (error) {
    yield { events: [], facts: [unreadable(name, `Reading broke off: ${messageOf(error)}.`, '')] };
  } finally {
    await handle?.close();
  }
}

/** Makes the source of saved logs. */
export function createEvtxSource(options: EvtxOptions): Source {
  async function* pieces(): AsyncGenerator<FilePiece, void> {
    for (const file of options.files) yield* readLog(file);
  }
  return { name: 'evtx', batches: (_from, signal) => fileBatches(pieces(), options, signal) };
}
