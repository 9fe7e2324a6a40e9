/**
 * Goal: an answer carries the headers that its status calls for. Method: the answer of each such problem.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problem } from '@launchbeat/ecs-schemas';
import { problemAnswer } from './answers.ts';

test('401 names the scheme, 415 what encodings are taken, 503 when to come again', () => {
  const header = (answer: Response, name: string): string | null => answer.headers.get(name);
  assert.equal(header(problemAnswer(problem('unauthorized')), 'WWW-Authenticate'), 'ApiKey');
  assert.equal(header(problemAnswer(problem('bad-encoding')), 'Accept-Encoding'), 'zstd, gzip');
  const busy = problemAnswer(problem('unavailable'), { retryAfterSeconds: 7 });
  assert.equal(header(busy, 'Retry-After'), '7');
  assert.equal(header(busy, 'Accept-Encoding'), null);
});
