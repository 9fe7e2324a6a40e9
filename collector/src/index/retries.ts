/**
 * Takes failures of requests, gives the time to wait and says in the log what is going on.
 * Keeps: an outage is one line when it begins, one a minute while it lasts (an hour, where a person must act) and one at its end.
 */
import { type Backoff, backoffMs, type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { Failure } from './request-outcome.ts';

export interface Retries {
  /** Waits before the attempt after `attempt` (from 1). Resolves at once when aborted. */
  wait(failure: Failure, attempt: number, signal: AbortSignal): Promise<void>;
  /** A request succeeded. */
  recovered(): void;
}

export interface RetriesOptions {
  readonly backoff: Backoff;
  readonly log: Log;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** Makes the retry loop's clock; the workers share one. */
export function createRetries(options: RetriesOptions): Retries {
  let troubledSinceMs: number | undefined;
  let sayAgainAtMs = 0;
  let saidKind: Failure['kind'] | undefined;

  function say(failure: Failure): void {
    const nowMs = performance.now();
    troubledSinceMs ??= nowMs;
    if (nowMs < sayAgainAtMs && saidKind === failure.kind) return;
    const person = failure.kind === 'needs_person';
    saidKind = failure.kind;
    sayAgainAtMs = nowMs + (person ? HOUR_MS : MINUTE_MS);
    const fields = {
      'error.message': failure.reason,
      ...(failure.status === 0 ? {} : { 'http.response.status_code': failure.status }),
    };
    if (person) {
      options.log.error(
        fields,
        'Elasticsearch refuses what is sent until somebody mends it; nothing is lost meanwhile.',
      );
    } else {
      options.log.warn(fields, 'Elasticsearch did not take a request; it is tried again.');
    }
  }

  return {
    async wait(failure, attempt, signal) {
      say(failure);
      const { backoff } = options;
      const waitMs = failure.kind === 'needs_person' ? backoff.max : backoffMs(attempt, backoff);
      await pause(waitMs, signal);
    },
    recovered() {
      if (troubledSinceMs === undefined) return;
      const seconds = Math.round((performance.now() - troubledSinceMs) / 1000);
      troubledSinceMs = undefined;
      saidKind = undefined;
      options.log.info({}, `Elasticsearch takes requests again after ${seconds} s.`);
    },
  };
}
