/**
 * The schema of what makes a rule count or remember, and which kind of rule takes which key.
 * Keeps: a key that a kind does not use is refused, so that nobody believes in it.
 */
import { z } from 'zod';
import { SUPPRESS_FIELDS, span, window } from './quiet-config.ts';

/** What events can be told apart by: the same as for suppress. */
export type KeyField = (typeof SUPPRESS_FIELDS)[number];
const keyField = z.enum(SUPPRESS_FIELDS);

const KINDS = ['any', 'threshold', 'cardinality', 'new_value', 'sequence'] as const;
export type RuleKind = (typeof KINDS)[number];

/** Whatever is counted has a row in PostgreSQL. */
const COUNT_MAX = 500;
const VALUES_MAX = 100;

/** Keys of a rule that counts or remembers. */
export const kindKeys = {
  kind: z.enum(KINDS).default('any'),
  /** What belongs together: each user, each PC, each pair … counts for itself. */
  key: z.array(keyField).min(1).optional(),
  /** So many make an alert. */
  count: z.int().min(2).max(COUNT_MAX).optional(),
  /** In so much time of the events. */
  within: window.optional(),
  /** Counts how many different values of this there are. */
  of: keyField.optional(),
  /** So long only is learnt. */
  warm_up: span.optional(),
};

type KindKey = 'key' | 'count' | 'within' | 'of' | 'warm_up' | 'followed_by';

const USES: Readonly<Record<RuleKind, { needs: readonly KindKey[]; takes: readonly KindKey[] }>> = {
  any: { needs: [], takes: [] },
  threshold: { needs: ['count', 'within'], takes: ['key'] },
  cardinality: { needs: ['count', 'within', 'of'], takes: ['key'] },
  new_value: { needs: ['key'], takes: ['warm_up'] },
  sequence: { needs: ['within', 'followed_by'], takes: ['key'] },
};
const KIND_KEYS: readonly KindKey[] = ['key', 'count', 'within', 'of', 'warm_up', 'followed_by'];

type Kinded = { readonly kind: RuleKind } & { readonly [Key in KindKey]?: unknown };

/** What is missing or too much for the kind of a rule: the key, and a sentence. */
export function kindProblems(rule: Kinded): { readonly key: string; readonly message: string }[] {
  const { needs, takes } = USES[rule.kind];
  const missing = needs
    .filter((key) => rule[key] === undefined)
    .map((key) => ({
      key,
      message: `A rule of kind ${rule.kind} needs "${key}". Write it beside kind.`,
    }));
  const idle = KIND_KEYS.filter(
    (key) => rule[key] !== undefined && !needs.includes(key) && !takes.includes(key),
  ).map((key) => ({
    key,
    message: `A rule of kind ${rule.kind} does not use "${key}". Delete it, or give the rule another kind.`,
  }));
  const tooMany =
    rule.kind === 'cardinality' && Number(rule.count ?? 0) > VALUES_MAX
      ? [{ key: 'count', message: `A rule of kind cardinality counts to ${VALUES_MAX} at most.` }]
      : [];
  return [...missing, ...idle, ...tooMany];
}
