/**
 * Takes an enrolment token and who asks, asks the collector once for a key of this agent's own, gives the key or why there is none.
 */
import { hostname, release, type } from 'node:os';
import {
  ENROLL_PATH,
  type EnrollAnswer,
  enrollAnswerSchema,
  problemSchema,
} from '@launchbeat/ecs-schemas';
import type { Answer, HttpExchange } from '../upload/http-exchange.ts';

/** The name under which launchbeat.yml as shipped looks for the key, in keystore and environment. */
export const KEY_NAME = 'LAUNCHBEAT_API_KEY';

export interface Applicant {
  readonly agentId: string;
  readonly name: string;
  readonly version: string;
  /** machineDigest() of this computer. */
  readonly machine: string;
}

export type KeyOutcome =
  | { readonly outcome: 'done'; readonly answer: EnrollAnswer }
  /** Nobody knows whether the token was used; the same agent may use it again. */
  | { readonly outcome: 'no_answer'; readonly reason: string }
  | {
      readonly outcome: 'refused';
      readonly status: number;
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

/** Asks once. Never throws. */
export async function requestKey(
  http: HttpExchange,
  token: string,
  applicant: Applicant,
  signal?: AbortSignal,
): Promise<KeyOutcome> {
  const { agentId, name, version, machine } = applicant;
  const host = { name: hostname(), os: `${type()} ${release()} ${process.arch}`, machine };
  const body = Buffer.from(JSON.stringify({ agent_id: agentId, name, version, host }));
  const headers = { 'Content-Type': 'application/json' };
  return keyIn(
    await http.exchange(
      { method: 'POST', path: ENROLL_PATH, headers, body, apiKey: token },
      signal,
    ),
  );
}

function keyIn(answer: Answer): KeyOutcome {
  if (answer.outcome === 'no_answer') return answer;
  const given = answer.status === 200 ? enrollAnswerSchema.safeParse(answer.body).data : undefined;
  if (given !== undefined) return { outcome: 'done', answer: given };
  const said = problemSchema.safeParse(answer.body).data;
  return {
    outcome: 'refused',
    status: answer.status,
    reason: said?.detail ?? said?.title ?? (answer.text || 'it is no collector that enrols'),
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
  };
}
