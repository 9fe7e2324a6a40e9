/**
 * Takes the answer to a chunk, gives what to do with the chunk. Pure; the table of docs/http-api.md.
 * Keeps: only a receipt for this very chunk lets go of its lines, only a collector's own word puts them into quarantine;
 * everything else keeps them. A proxy, a wrong URL or another server never costs an event.
 */
import {
  type ChunkReceipt,
  chunkReceiptSchema,
  PROBLEM_TYPE,
  problemSchema,
  problem as problemUri,
} from '@launchbeat/ecs-schemas';
import type { Answer } from './http-exchange.ts';

export type Verdict =
  /** Committed. */
  | { readonly outcome: 'done'; readonly receipt: ChunkReceipt }
  /** Never taken: into quarantine. */
  | {
      readonly outcome: 'refused';
      readonly reason: string;
      readonly rejected: ChunkReceipt['rejected'];
      readonly conflict: boolean;
    }
  /** Not compressed as the collector takes it. `otherwise` holds where nothing else can be done about it. */
  | {
      readonly outcome: 'other_encoding';
      readonly encodings: readonly string[];
      readonly otherwise: Verdict;
    }
  /** Half of it may be taken. `final` = the collector itself said so: a single line then goes into quarantine. */
  | { readonly outcome: 'halve'; readonly reason: string; readonly final: boolean }
  /** Kept. `slowly` = only a person can mend it. */
  | {
      readonly outcome: 'retry';
      readonly pace: 'soon' | 'slowly';
      readonly reason: string;
      readonly retryAfterMs?: number;
    };

const OUR_PROBLEM = /^urn:launchbeat:problem:/;

/** Judges the answer to a chunk of so many lines. */
export function judgeAnswer(answer: Answer, lines: number): Verdict {
  if (answer.outcome === 'no_answer')
    return { outcome: 'retry', pace: 'soon', reason: answer.reason };
  if (answer.status === 200) return judgeReceipt(answer, lines);
  const verdict = judgeRefusal(answer);
  return answer.status === 415 && answer.encodings !== undefined
    ? { outcome: 'other_encoding', encodings: answer.encodings, otherwise: verdict }
    : verdict;
}

function judgeRefusal(answer: Answer & { outcome: 'answered' }): Verdict {
  const { status } = answer;
  const problem = problemOf(answer);
  const detail = problem?.detail ?? problem?.title ?? answer.text;
  const reason = `${status}${detail === '' ? '' : `: ${detail}`}`;
  if (status === 413) return { outcome: 'halve', reason, final: problem !== undefined };
  if ([400, 409, 415, 422].includes(status) && problem !== undefined) {
    return {
      outcome: 'refused',
      reason,
      rejected: problem.rejected ?? [],
      conflict: status === 409,
    };
  }
  const asked = answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs };
  const passing = status === 408 || status === 429 || status >= 500;
  return {
    outcome: 'retry',
    pace: passing ? 'soon' : 'slowly',
    reason: explain(status, reason, problem?.type),
    ...asked,
  };
}

function judgeReceipt(answer: Answer & { outcome: 'answered' }, lines: number): Verdict {
  const parsed = chunkReceiptSchema.safeParse(answer.body);
  if (!parsed.success) {
    return {
      outcome: 'retry',
      pace: 'slowly',
      reason:
        'The answer 200 is no receipt: what answers there is no collector. See output.collector.url',
    };
  }
  const { accepted, duplicates, rejected } = parsed.data;
  const fits = rejected.every((one) => one.line <= lines);
  if (!fits || accepted + duplicates + rejected.length !== lines) {
    return {
      outcome: 'retry',
      pace: 'slowly',
      reason: `The receipt is for ${accepted + duplicates + rejected.length} lines, ${lines} were sent`,
    };
  }
  return { outcome: 'done', receipt: parsed.data };
}

/** The problem document of a collector; another server's is none. */
function problemOf(answer: Answer & { outcome: 'answered' }) {
  if (!answer.contentType.startsWith(PROBLEM_TYPE)) return undefined;
  const parsed = problemSchema.safeParse(answer.body);
  return parsed.success && OUR_PROBLEM.test(parsed.data.type) ? parsed.data : undefined;
}

function explain(status: number, reason: string, problemType?: string): string {
  if (status === 401)
    return `${reason}. The key is unknown or revoked: see output.collector.api_key`;
  if (status === 403 && problemType === problemUri('other-host').type)
    return `${reason}. This agent enrolled for its own computer: an operator allows others (launchbeat-collector agents hosts), or enrol it with a token made with --forwarder`;
  if (status === 403)
    return `${reason}. The key belongs to another agent: give this one a key of its own`;
  if (status === 404) return `${reason}. No collector there: see output.collector.url`;
  if (status >= 300 && status < 400)
    return `${reason}. Redirects are not followed (the key would go there too): see output.collector.url`;
  return reason;
}
