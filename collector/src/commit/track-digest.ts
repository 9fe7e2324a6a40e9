/** The name under which the tables keep what a rule has in mind for one key: a digest of both. */
import type { TrackedRule } from '../assess/candidates.ts';
import { digestOf } from './digest-of.ts';

/** `key` as the candidates have it. */
export const trackDigest = (rule: TrackedRule, key: string): Buffer =>
  digestOf(rule.id, rule.definition, key);
