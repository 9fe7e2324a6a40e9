/**
 * `admit:` of collector.yml: what one request, one address and all requests together may take.
 */
import { LIMIT } from '@launchbeat/ecs-schemas';
import { byteSize, duration } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';

/** Parsed lines take about three times their bytes beside the bytes themselves; so each raw byte is counted as four. */
export const BYTES_PER_RAW_BYTE = 4;

const IN_FLIGHT_BYTES_LEAST =
  LIMIT.compressedBytesMax + BYTES_PER_RAW_BYTE * LIMIT.decompressedBytesMax;

export const admitConfigSchema = z
  .strictObject({
    /** A request body must have come by then, else 408. */
    body_timeout: duration('30s'),
    /** Memory of all chunks being worked on: their bytes, and their lines times four. Above it new ones get 503. */
    in_flight_bytes_max: byteSize('512MiB').refine(
      (bytes) => bytes >= IN_FLIGHT_BYTES_LEAST,
      `Expected at least ${IN_FLIGHT_BYTES_LEAST / 1024 ** 2}MiB: one chunk of the largest size must fit`,
    ),
    /**
     * Chunks that are opened, looked at and committed at once; the others wait, compressed as they came. Small ones (50 lines, 64 KiB
     * open) have places beside these, eight for one.
     */
    chunks_at_once: z.int().positive().default(8),
    /** A chunk that waits longer for its turn gets 503. Agents wait 30 s for an answer. */
    turn_timeout: duration('15s'),
    /** Chunks of one agent that are here at once; above it 429. An agent sends one after the other. */
    chunks_per_agent_max: z.int().positive().default(4),
    rate: z
      .strictObject({
        /** Uncompressed bytes a second of one agent, averaged over a minute; above it 429. 0 = no bound. */
        per_agent: byteSize('0'),
        /** The same of all agents together. */
        total: byteSize('0'),
      })
      .prefault({}),
    /** Wrong keys a minute and address; above it, keys not seen before from that address get 429 without a look. */
    failed_keys_per_minute: z.int().positive().default(30),
  })
  .prefault({});

export type AdmitConfig = z.infer<typeof admitConfigSchema>;
