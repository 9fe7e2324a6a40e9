/**
 * The schema of what makes a rule count or remember, and which kind of rule takes which key.
 * Keeps: a key that a kind does not use is refused, so that nobody believes in it.
 */
import { z } from 'zod';
import { SUPPRESS_FIELDS, span, window } from './quiet-config.ts';

/** What events can be told apart by: the same as for suppress. */
export type KeyField = (typeof SUPPRESS_FIELDS)[number];
const keyField = z.enum(SUPPRESS_FIELDS);

const KINDS = [
  'any',
  'threshold',
  'cardinality',
  'new_value',
  'rare',
  'spike',
  'flatline',
  'sequence',
  'agent_offline',
  'agent_degraded',
] as const;
export type RuleKind = (typeof KINDS)[number];

/** Kinds that are about agents and not about events. */
export const AGENT_KINDS = ['agent_offline', 'agent_degraded'] as const;
export const isAgentKind = (kind: RuleKind): kind is (typeof AGENT_KINDS)[number] =>
  (AGENT_KINDS as readonly RuleKind[]).includes(kind);

/** Whatever is counted has a row in PostgreSQL. */
const COUNT_MAX = 500;
const VALUES_MAX = 100;
/** A week of hours. */
const BASELINE_MAX = 168;

/** Keys of a rule that counts or remembers. */
export const kindKeys = {
  kind: z.enum(KINDS).default('any'),
  /** What belongs together: each user, each PC, each pair … counts for itself. */
  key: z.array(keyField).min(1).optional(),
  /** So many make an alert; of rare: at most so many; of flatline: fewer than so many. */
  count: z.int().min(1).max(COUNT_MAX).optional(),
  /** In so much time of the events. */
  within: window.optional(),
  /** Counts how many different values of this there are. */
  of: keyField.optional(),
  /** So long only is learnt. */
  warm_up: span.optional(),
  /** So many times the usual number is a spike. */
  times: z.number().gt(1).max(1000).optional(),
  /** So many windows before it are the usual. */
  baseline: z.int().min(1).max(BASELINE_MAX).optional(),
  /** Of agent_degraded: words of the reason, or the kind of a health fact. */
  reasons: z.array(z.string().min(1)).min(1).optional(),
};

const KIND_KEYS = [
  'key',
  'count',
  'within',
  'of',
  'warm_up',
  'times',
  'baseline',
  'reasons',
  'followed_by',
] as const;
type KindKey = (typeof KIND_KEYS)[number];

interface Use {
  readonly needs: readonly KindKey[];
  readonly takes: readonly KindKey[];
  readonly countMin?: number;
  readonly countMax?: number;
}

const USES: Readonly<Record<RuleKind, Use>> = {
  any: { needs: [], takes: [] },
  threshold: { needs: ['count', 'within'], takes: ['key'], countMin: 2 },
  cardinality: {
    ...{ needs: ['count', 'within', 'of'], takes: ['key'] },
    ...{ countMin: 2, countMax: VALUES_MAX },
  },
  new_value: { needs: ['key'], takes: ['warm_up'] },
  rare: { needs: ['key', 'of', 'count', 'within'], takes: ['warm_up'], countMax: VALUES_MAX },
  spike: { needs: ['count', 'within', 'times'], takes: ['key', 'baseline'] },
  flatline: { needs: ['within'], takes: ['key', 'count'], countMax: VALUES_MAX },
  sequence: { needs: ['within', 'followed_by'], takes: ['key'] },
  agent_offline: { needs: [], takes: ['within'] },
  agent_degraded: { needs: [], takes: ['reasons'] },
};

/** Lists that look at an event; a rule about agents has none of them. */
const EVENT_KEYS = [
  'programs',
  'users',
  'parents',
  'executables',
  'command_lines',
  'flags',
  'when',
];

type Kinded = { readonly kind: RuleKind } & Readonly<Record<string, unknown>>;

interface KindProblem {
  readonly key: string;
  readonly message: string;
}

/** What is missing or too much for the kind of a rule: the key, and a sentence. */
export function kindProblems(rule: Kinded): readonly KindProblem[] {
  const { kind } = rule;
  const { needs, takes } = USES[kind];
  const missing = needs
    .filter((key) => rule[key] === undefined)
    .map((key) => ({
      key,
      message: `A rule of kind ${kind} needs "${key}". Write it beside kind.`,
    }));
  const eventKeys = isAgentKind(kind) ? EVENT_KEYS : [];
  const idle = [
    ...KIND_KEYS.filter((key) => !needs.includes(key) && !takes.includes(key)),
    ...eventKeys,
  ]
    .filter((key) => rule[key] !== undefined)
    .map((key) => ({
      key,
      message: `A rule of kind ${kind} does not use "${key}". Delete it, or give the rule another kind.`,
    }));
  return [...missing, ...idle, ...countProblems(rule)];
}

function countProblems({ kind, count }: Kinded): readonly KindProblem[] {
  const { countMin = 1, countMax = COUNT_MAX } = USES[kind];
  if (typeof count !== 'number') return [];
  if (count > countMax) {
    return [{ key: 'count', message: `A rule of kind ${kind} counts to ${countMax} at most.` }];
  }
  return count < countMin
    ? [{ key: 'count', message: `A rule of kind ${kind} counts from ${countMin}.` }]
    : [];
}
