/**
 * Takes a committed chunk, gives its lines as they came, each with its id.
 * Keeps: bytes are neither parsed nor printed again; memory is bounded whatever the bytes say.
 */
import { promisify } from 'node:util';
import { gunzip, zstdDecompress } from 'node:zlib';
import { eachLine, LIMIT } from '@launchbeat/ecs-schemas';
import { LINE_ID_BYTES, NO_LINE_ID } from '../admit/admission.ts';
import { contentSize, openFrame } from '../admit/zstd-frame.ts';
import type { CommittedChunk } from '../commit/commit.ts';

/** One document on its way to Elasticsearch. */
export interface IndexLine {
  /** Id of the chunk's row. */
  readonly chunkId: string;
  /** Place in the chunk, from 1. */
  readonly line: number;
  /** `event.id`, which is also `_id`. */
  readonly id: string;
  /** The document without LF; a view into the chunk's bytes. */
  readonly bytes: Buffer;
}

export type ReadChunkOutcome =
  | { readonly outcome: 'done'; readonly lines: readonly IndexLine[]; readonly bytes: number }
  | { readonly outcome: 'refused'; readonly reason: string };

const DECOMPRESS = { zstd: promisify(zstdDecompress), gzip: promisify(gunzip) };

/** Decompresses a chunk that is not yet. `refused` = its bytes are not what admit took, which only a damaged table explains. */
export async function readChunk(
  chunk: Pick<CommittedChunk, 'id' | 'body' | 'raw' | 'encoding' | 'lines' | 'lineIds'>,
): Promise<ReadChunkOutcome> {
  let raw: Buffer;
  try {
    raw = chunk.raw ?? (await decompressed(chunk));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { outcome: 'refused', reason: `body cannot be decompressed: ${reason}` };
  }
  const lines: IndexLine[] = [];
  const chunkId = String(chunk.id);
  let line = 0;
  for (const bytes of eachLine(raw)) {
    const id = chunk.lineIds.subarray(line * LINE_ID_BYTES, (line + 1) * LINE_ID_BYTES);
    line += 1;
    if (id.length === LINE_ID_BYTES && !id.equals(NO_LINE_ID)) {
      lines.push({ chunkId, line, id: id.toString('base64url'), bytes });
    }
  }
  if (line !== chunk.lines || chunk.lineIds.length !== line * LINE_ID_BYTES) {
    const ids = chunk.lineIds.length / LINE_ID_BYTES;
    return {
      outcome: 'refused',
      reason: `body has ${line} lines, its row says ${chunk.lines} and has ${ids} ids`,
    };
  }
  return { outcome: 'done', lines, bytes: raw.length };
}

async function decompressed({
  body,
  encoding,
}: Pick<CommittedChunk, 'body' | 'encoding'>): Promise<Buffer> {
  const maxOutputLength = LIMIT.decompressedBytesMax;
  const size = encoding === 'zstd' ? contentSize(body) : undefined;
  return size === undefined || size > maxOutputLength
    ? await DECOMPRESS[encoding](body, { maxOutputLength })
    : openFrame(body, size);
}
