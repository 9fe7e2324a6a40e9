/**
 * What upload counts since the start.
 */

export interface UploadCounts {
  /** Lines with a receipt: accepted, duplicates and rejected ones. */
  readonly shippedLines: number;
  readonly accepted: number;
  readonly duplicates: number;
  readonly rejected: number;
  /** Chunks with a receipt. */
  readonly chunks: number;
  readonly quarantinedChunks: number;
  /** Lines in quarantine for any reason, rejected ones among them. */
  readonly quarantinedLines: number;
  /** Lines of the spool that are broken: not JSON, too long, torn. */
  readonly corruptLines: number;
  readonly retries: number;
  /** Bytes of lines with a receipt, before compression. */
  readonly shippedBytes: number;
  /** What became of the last chunk that was sent; without a status there was no answer. */
  readonly lastAnswer?: { readonly status?: number; readonly detail: string };
}

export type MutableCounts = { -readonly [Key in keyof UploadCounts]: UploadCounts[Key] };

/** Counters at zero. */
export function zeroCounts(): MutableCounts {
  return {
    shippedLines: 0,
    accepted: 0,
    duplicates: 0,
    rejected: 0,
    chunks: 0,
    quarantinedChunks: 0,
    quarantinedLines: 0,
    corruptLines: 0,
    retries: 0,
    shippedBytes: 0,
  };
}
