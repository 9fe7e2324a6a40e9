/**
 * Takes detection rules for Elastic Security as NDJSON, tells what Kibana would refuse and what would never find anything
 * (security_solution plugin, RuleToImport).
 */
import { DATA_STREAM_TYPE, DATASET } from '@launchbeat/ecs-schemas';
import { fieldKind } from '../kql/field-kind.ts';
import { checkQuery } from './check-queries.ts';
import { at, listOf as itemsOf, type Json, objectOf, parsed, textOf } from './json.ts';
import type { Problem, Report } from './problem.ts';
import {
  anything,
  boolean,
  filledText,
  listOf,
  number,
  object,
  oneOf,
  type Shape,
  text,
} from './shape.ts';

/** Index pattern of every namespace: what a rule of ours searches. */
const OURS = `${DATA_STREAM_TYPE}-${DATASET}-*`;

/** Bounds of risk scores by severity, both inclusive: what Kibana's editor suggests. */
const SCORES: Readonly<Record<string, readonly [number, number]>> = {
  low: [0, 46],
  medium: [47, 72],
  high: [73, 98],
  critical: [99, 100],
};

const named = { id: filledText, name: filledText, reference: filledText };
const technique = object({
  required: named,
  optional: { subtechnique: listOf(object({ required: named })) },
});

const RULE_TYPES = ['query', 'threshold', 'new_terms'] as const;
type RuleType = (typeof RULE_TYPES)[number];

/** What a rule of a type has beyond the others (Kibana: rule_schemas, "type specific"). */
const OWN: Readonly<Record<RuleType, Readonly<Record<string, Shape>>>> = {
  query: {},
  threshold: {
    threshold: object({
      required: {
        field: listOf(filledText),
        value: number,
        cardinality: listOf(object({ required: { field: filledText, value: number } })),
      },
    }),
  },
  new_terms: { new_terms_fields: listOf(filledText), history_window_start: filledText },
};

const shapeOf = (type: RuleType): Shape =>
  object({
    required: {
      rule_id: filledText,
      type: oneOf(...RULE_TYPES),
      name: filledText,
      description: filledText,
      severity: oneOf(...Object.keys(SCORES)),
      risk_score: number,
      index: listOf(filledText),
      language: oneOf('kuery'),
      query: filledText,
      enabled: boolean,
      interval: filledText,
      from: filledText,
      ...OWN[type],
    },
    optional: {
      to: text,
      threat: listOf(
        object({
          required: { framework: oneOf('MITRE ATT&CK'), tactic: object({ required: named }) },
          optional: { technique: listOf(technique) },
        }),
      ),
      false_positives: listOf(text),
      note: filledText,
      tags: listOf(filledText),
      author: listOf(filledText),
      references: listOf(text),
      max_signals: number,
      version: number,
      exceptions_list: listOf(anything),
      actions: listOf(anything),
    },
  });

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `5m` or `now-65m`; undefined for anything else. */
function seconds(span: string): number | undefined {
  const [, amount, unit = ''] = /^(?:now-)?(\d+)([smhd])$/.exec(span) ?? [];
  return amount === undefined ? undefined : Number(amount) * (UNIT_S[unit] ?? 0);
}

function checkTimes(rule: Json, report: Report): void {
  const [interval, from] = [seconds(textOf(rule['interval'])), seconds(textOf(rule['from']))];
  if (interval === undefined || from === undefined)
    report('interval and from', 'must be spans like 5m and now-65m');
  else if (from <= interval)
    report('from', 'leaves a gap: it must look back over more than interval');
}

/** Ids of ATT&CK follow from each other: the page of one has its id, and a subtechnique its technique's. */
function checkThreat(rule: Json, report: Report): void {
  const isOwnPage = (one: unknown): boolean =>
    textOf(at(one, 'reference')).endsWith(`/${textOf(at(one, 'id')).replace('.', '/')}/`);
  for (const threat of itemsOf(rule['threat'])) {
    const techniques = itemsOf(at(threat, 'technique'));
    const subs = techniques.flatMap((one) => itemsOf(at(one, 'subtechnique')));
    for (const one of [at(threat, 'tactic'), ...techniques, ...subs])
      if (!isOwnPage(one)) report('threat', `${textOf(at(one, 'id'))} names the page of another`);
    for (const one of techniques)
      for (const sub of itemsOf(at(one, 'subtechnique')))
        if (!textOf(at(sub, 'id')).startsWith(`${textOf(at(one, 'id'))}.`))
          report('threat', `${textOf(at(sub, 'id'))} is no part of ${textOf(at(one, 'id'))}`);
  }
}

/** Kibana's limits: at most five fields to group by, at most three whose values are to be new. */
const GROUPS_MAX = 5;
const NEW_MAX = 3;

function checkFields(fields: readonly unknown[], most: number, [where, report]: [string, Report]) {
  if (fields.length === 0 || fields.length > most) report(where, `must name 1 to ${most} fields`);
  if (new Set(fields).size < fields.length) report(where, 'names a field twice');
  for (const field of fields.map(textOf)) {
    const kind = fieldKind(field);
    if (kind === undefined) report(where, `field ${field} is not indexed`);
    else if (kind === 'text') report(where, `field ${field} is a text: it cannot be grouped by`);
  }
}

function checkThreshold(rule: Json, report: Report): void {
  const threshold = rule['threshold'];
  const groups = itemsOf(at(threshold, 'field'));
  checkFields(groups, GROUPS_MAX, ['threshold', report]);
  if (!(Number(at(threshold, 'value')) >= 1)) report('threshold', 'value must be at least 1');
  const different = itemsOf(at(threshold, 'cardinality'));
  checkFields([...groups, ...different.map((one) => at(one, 'field'))], GROUPS_MAX + 1, [
    'threshold',
    report,
  ]);
}

function checkNewTerms(rule: Json, report: Report): void {
  checkFields(itemsOf(rule['new_terms_fields']), NEW_MAX, ['new_terms_fields', report]);
  const [history, from] = [
    seconds(textOf(rule['history_window_start'])),
    seconds(textOf(rule['from'])),
  ];
  if (history === undefined || from === undefined || history <= from)
    report('history_window_start', 'must be a span like now-14d, longer than from');
}

const isRuleType = (value: unknown): value is RuleType => RULE_TYPES.some((type) => type === value);

function checkRule(rule: Json, report: Report): void {
  const type = rule['type'];
  shapeOf(isRuleType(type) ? type : 'query')(rule, 'rule', report);
  if (type === 'threshold') checkThreshold(rule, report);
  if (type === 'new_terms') checkNewTerms(rule, report);
  const [least, most] = SCORES[textOf(rule['severity'])] ?? [0, 100];
  const score = Number(rule['risk_score']);
  if (!(score >= least && score <= most))
    report('risk_score', `must be ${least} to ${most} for ${textOf(rule['severity'])}`);
  if (!itemsOf(rule['index']).includes(OURS)) report('index', `must name ${OURS}`);
  checkQuery({ query: rule['query'], language: 'kuery' }, 'starts', 'query', report);
  checkTimes(rule, report);
  checkThreat(rule, report);
}

/** True for a file of rules, false for one of saved objects. */
export const holdsRules = (ndjson: string): boolean =>
  ndjson.slice(0, ndjson.indexOf('\n')).includes('"rule_id"');

/** The last line counts the rules; Kibana skips it, and whoever reads the file trusts it. */
function checkSummary(summary: Json, rules: number, report: Report): void {
  for (const key of ['exported_count', 'exported_rules_count'])
    if (summary[key] !== rules) report('summary', `${key} must be ${rules}`);
}

export function checkRules(ndjson: string): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  const lines = ndjson.trimEnd().split('\n');
  for (const [index, line] of lines.entries()) {
    const report: Report = (where, what) => {
      problems.push({ where: `line ${index + 1}: ${where}`, what });
    };
    const rule = parsed(line);
    if (rule === undefined) report('rule', 'is not JSON');
    else if (at(rule, 'exported_count') !== undefined && index === lines.length - 1)
      checkSummary(objectOf(rule), index, report);
    else checkOnce(objectOf(rule), seen, report);
  }
  return problems;
}

function checkOnce(rule: Json, seen: Set<string>, report: Report): void {
  checkRule(rule, report);
  for (const key of [textOf(rule['rule_id']), textOf(rule['name'])]) {
    if (seen.has(key)) report('rule', `"${key}" stands twice`);
    seen.add(key);
  }
}
