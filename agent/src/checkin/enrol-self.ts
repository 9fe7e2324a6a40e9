/**
 * Takes an enrolment token that the installer left, gets this agent its own key while events wait in the spool; no restart.
 * Keeps: the key is on disk before it is used; a token that is refused stops nothing, it is tried again as long as it takes, and
 * said hourly, since a person must mend it.
 */
import type { Backoff, Keystore, Log } from '@launchbeat/ecs-schemas/beat';
import type { AgentKey } from '../upload/agent-key.ts';
import { type Clock, SYSTEM_CLOCK } from '../upload/clock.ts';
import type { HttpExchange } from '../upload/http-exchange.ts';
import { retryDelayMs, slowDelayMs, spreadMs } from '../upload/retry-delay.ts';
import { type Applicant, KEY_NAME, type KeyOutcome, requestKey } from './request-key.ts';

export interface EnrolSelfOptions {
  /** Of the config; '' = there is none. */
  readonly token: string;
  readonly applicant: Applicant;
  readonly key: AgentKey;
  readonly keystore: Keystore;
  readonly http: HttpExchange;
  readonly backoff: Backoff;
  readonly log: Log;
  readonly clock?: Clock;
}

const SAY_AGAIN_MS = 3_600_000;

/** Resolves when there is a key, at once if there is one already; also when the signal aborts. Never rejects. */
export async function enrolSelf(options: EnrolSelfOptions, signal: AbortSignal): Promise<void> {
  const { key, keystore, token, http, applicant, backoff, log, clock = SYSTEM_CLOCK } = options;
  let saidAtMs = Number.NEGATIVE_INFINITY;
  const complain = (words: string, err?: unknown): void => {
    if (clock.nowMs() - saidAtMs < SAY_AGAIN_MS) return;
    saidAtMs = clock.nowMs();
    log.error(err === undefined ? {} : { err }, words);
  };
  if (key.encoded() !== '') return;
  log.info({}, 'No key yet: the collector is asked for one; events wait in the spool.');
  for (let attempt = 1; !signal.aborted; attempt += 1) {
    try {
      // Of an enrolment before, under a config that names no key.
      const kept = keystore.read().get(KEY_NAME);
      if (kept !== undefined) return key.use(kept);
      const answer = await requestKey(http, token, applicant, signal);
      if (signal.aborted) return;
      if (answer.outcome === 'done') {
        keystore.write(new Map(keystore.read()).set(KEY_NAME, answer.answer.api_key));
        key.use(answer.answer.api_key);
        log.info({}, `Enrolled; the key is in ${keystore.file} as ${KEY_NAME}.`);
        return;
      }
      complain(sentenceOf(answer));
      await clock.wait(waitMs(answer, attempt, backoff, clock), signal);
    } catch (err) {
      complain('Keystore cannot be read or written; the agent has no key, events wait.', err);
      await clock.wait(slowDelayMs(backoff, clock.random), signal);
    }
  }
}

type Failed = Exclude<KeyOutcome, { outcome: 'done' }>;

const sentenceOf = (answer: Failed): string =>
  answer.outcome === 'no_answer'
    ? `Collector gave no key, it did not answer: ${answer.reason}. It is asked again; events wait.`
    : `Collector gave no key (${answer.status}): ${answer.reason} It is asked again; events wait. Or: launchbeat enroll with another token.`;

function waitMs(answer: Failed, attempt: number, backoff: Backoff, clock: Clock): number {
  if (answer.outcome === 'no_answer') return retryDelayMs(attempt, backoff, clock.random);
  if (answer.retryAfterMs !== undefined)
    return spreadMs(answer.retryAfterMs, backoff, clock.random);
  return slowDelayMs(backoff, clock.random);
}
