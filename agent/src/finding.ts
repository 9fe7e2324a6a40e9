/**
 * One row of `launchbeat doctor`.
 */

/** What was looked at, and whether it is well. */
export interface Finding {
  readonly check: string;
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  /** What to do about a row that is not ok. */
  readonly mend?: string | undefined;
}
