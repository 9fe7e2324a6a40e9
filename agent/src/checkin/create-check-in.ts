/**
 * Takes how the agent does, tells the collector each minute, with the health facts since the last answer.
 * Keeps: over a connection of its own and never in the way of events: whatever fails here is tried again with the next check-in;
 * facts go only when the collector has them.
 */
import {
  CHECK_IN_PATH,
  type CheckInAnswer,
  checkInAnswerSchema,
  FACTS_PER_CHECK_IN_MAX,
  type HealthFact,
  problemSchema,
} from '@launchbeat/ecs-schemas';
import type { Log, Metrics } from '@launchbeat/ecs-schemas/beat';
import { type Clock, SYSTEM_CLOCK } from '../upload/clock.ts';
import type { Answer, HttpExchange } from '../upload/http-exchange.ts';
import type { CheckInConfig } from './check-in-config.ts';
import type { FactBox } from './fact-box.ts';
import type { KeyRotation } from './rotate-key.ts';

export interface CheckInOptions {
  readonly config: CheckInConfig;
  readonly http: HttpExchange;
  readonly box: FactBox;
  /** All of a check-in but number, time and facts; asked each time, may throw. */
  readonly sample: () => object;
  /** Absent: the key stays as it is. */
  readonly rotation?: KeyRotation;
  readonly log: Log;
  readonly clock?: Clock;
}

export interface CheckInLoop {
  /** Checks in until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** Once more, before a run ends by itself. Gives up with the signal. */
  last(signal: AbortSignal): Promise<void>;
  /** Counts under `check_in.*`. */
  metrics(): Metrics;
}

/** The first check-in comes within this time: a thousand PCs that are switched on at once are spread over it. */
const FIRST_MS_MAX = 10_000;

/** Makes the loop. */
export function createCheckIn(options: CheckInOptions): CheckInLoop {
  const { config, http, box, sample, rotation, log, clock = SYSTEM_CLOCK } = options;
  const say = createSaying(log);
  let [sequence, answered, failed] = [0, 0, 0];
  /** Facts that go at once; fewer after the collector refused them, until it takes some. */
  let factsMax = FACTS_PER_CHECK_IN_MAX;

  const refuse = (answer: Answer, facts: readonly HealthFact[]): void => {
    failed += 1;
    const aboutBody = answer.outcome === 'answered' && [400, 413].includes(answer.status);
    if (aboutBody && facts.length > 0) {
      // One fact that the collector cannot take must not hold the others up for ever.
      if (facts.length === 1) box.drop(facts);
      factsMax = Math.max(1, Math.floor(facts.length / 2));
    }
    say.failed(answer);
  };

  /** Gives how long the collector wants to be left alone, if it said so. */
  async function once(signal: AbortSignal): Promise<number | undefined> {
    try {
      await rotation?.settle(signal);
      const about = sample();
      box.store();
      const facts = box.take(factsMax);
      sequence += 1;
      const sent_at = new Date(clock.nowMs()).toISOString();
      const body = Buffer.from(JSON.stringify({ ...about, sequence, sent_at, facts }));
      const headers = { 'Content-Type': 'application/json' };
      const request = { method: 'POST', path: CHECK_IN_PATH, headers, body } as const;
      const answer = await http.exchange(request, signal);
      const good = goodAnswer(answer);
      if (good === undefined) {
        if (!signal.aborted) refuse(answer, facts);
        return answer.outcome === 'answered' ? answer.retryAfterMs : undefined;
      }
      answered += 1;
      factsMax = FACTS_PER_CHECK_IN_MAX;
      box.drop(facts);
      box.store();
      say.done(good);
      if (good.rotate_key === true) await rotation?.rotate(signal);
    } catch (err) {
      failed += 1;
      log.debug({ err }, 'Check-in could not be made; it is tried again.');
    }
    return undefined;
  }

  return {
    async run(signal) {
      if (!config.enabled) return;
      await clock.wait(clock.random() * Math.min(FIRST_MS_MAX, config.interval), signal);
      while (!signal.aborted) {
        const askedMs = (await once(signal)) ?? 0;
        const spreadMs = config.interval * (0.9 + 0.2 * clock.random());
        await clock.wait(Math.max(askedMs, spreadMs), signal);
      }
    },
    async last(signal) {
      if (config.enabled) await once(signal);
    },
    metrics: () => ({ 'check_in.answered': answered, 'check_in.failed': failed }),
  };
}

function goodAnswer(answer: Answer): CheckInAnswer | undefined {
  if (answer.outcome !== 'answered' || answer.status !== 200) return undefined;
  return checkInAnswerSchema.safeParse(answer.body).data;
}

/** Says each trouble once, and once that it is over. That there is no answer at all, upload says already. */
function createSaying(log: Log): { failed(answer: Answer): void; done(good: CheckInAnswer): void } {
  let [trouble, reasons] = ['', ''];
  return {
    failed(answer) {
      if (answer.outcome === 'no_answer') return;
      const { status } = answer;
      if (trouble === String(status)) return;
      trouble = String(status);
      if (status === 404) {
        log.info({}, 'Collector knows no check-ins (404); events are shipped all the same.');
        return;
      }
      const problem = problemSchema.safeParse(answer.body).data;
      const why = problem?.detail ?? problem?.title ?? answer.text;
      log.warn({}, `Collector does not take check-ins (${status}: ${why}); they are tried again.`);
    },
    done(good) {
      if (trouble !== '') log.info({}, 'Collector takes check-ins again.');
      trouble = '';
      const now = good.reasons.join('; ');
      if (now !== reasons && now !== '')
        log.warn({}, `Collector holds this agent for degraded: ${now}.`);
      if (now !== reasons && now === '') log.info({}, 'Collector holds this agent for healthy.');
      reasons = now;
    },
  };
}
