/**
 * Takes texts that may be long, gives a digest that is as good a key as they are.
 */
import { createHash } from 'node:crypto';

const DIGEST_BYTES = 16;

/** The first 16 bytes of SHA-256 over the texts as JSON. */
export function digestOf(...texts: readonly string[]): Buffer {
  return createHash('sha256').update(JSON.stringify(texts)).digest().subarray(0, DIGEST_BYTES);
}
