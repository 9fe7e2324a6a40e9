/**
 * Takes the collectors of the config, gives one exchange over all of them: it stays with the one that works, and goes on to the
 * next on no answer or 5xx.
 * Keeps: the request is the same to the byte wherever it goes, so that a chunk whose answer was lost at one collector is
 * recognised by the next (they share one PostgreSQL).
 */
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Answer, HttpExchange } from './http-exchange.ts';

export interface Collector {
  readonly url: string;
  readonly http: HttpExchange;
}

/** Joins collectors, in the order of preference at the start. Each is asked once; all out = the answer that tells most. */
export function failoverExchange(collectors: readonly Collector[], log: Log): HttpExchange {
  let order = [...collectors];
  return {
    async exchange(request, signal) {
      const out: Answer[] = [];
      for (const [index, collector] of order.entries()) {
        const answer = await collector.http.exchange(request, signal);
        if (!isOut(answer)) {
          if (index > 0) {
            log.warn({ 'url.full': collector.url }, changed(order[0]?.url, out[0]));
            order = [...order.slice(index), ...order.slice(0, index)];
          }
          return answer;
        }
        out.push(answer);
        if (signal?.aborted === true) break;
      }
      // What a collector said tells more than that another one is silent.
      const told = out.find((answer) => answer.outcome === 'answered') ?? out[0];
      return told ?? { outcome: 'no_answer', reason: 'No collector is configured' };
    },
    async close() {
      await Promise.all(collectors.map((one) => one.http.close()));
    },
  };
}

const isOut = (answer: Answer): boolean => answer.outcome === 'no_answer' || answer.status >= 500;

function changed(before: string | undefined, answer: Answer | undefined): string {
  const why = answer?.outcome === 'answered' ? `answer ${answer.status}` : answer?.reason;
  return `Another collector is used from now on; ${before} is out (${why}).`;
}
