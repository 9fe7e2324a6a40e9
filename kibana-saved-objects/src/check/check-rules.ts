/**
 * Takes detection rules for Elastic Security as NDJSON, tells what Kibana would refuse and what would never find anything
 * (security_solution plugin, RuleToImport).
 */
import { DATA_STREAM_TYPE, DATASET } from '@launchbeat/ecs-schemas';
import { checkQuery } from './check-queries.ts';
import { at, listOf as itemsOf, type Json, objectOf, textOf } from './json.ts';
import type { Problem, Report } from './problem.ts';
import { anything, boolean, filledText, listOf, number, object, oneOf, text } from './shape.ts';

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

const queryRule = object({
  required: {
    rule_id: filledText,
    type: oneOf('query'),
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
    tags: listOf(filledText),
    author: listOf(filledText),
    references: listOf(text),
    max_signals: number,
    version: number,
    exceptions_list: listOf(anything),
    actions: listOf(anything),
  },
});

const UNIT_S: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

/** Seconds of `5m` or `now-65m`; undefined for anything else. */
function seconds(span: string): number | undefined {
  const [, amount, unit = ''] = /^(?:now-)?(\d+)([smh])$/.exec(span) ?? [];
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

function checkRule(rule: Json, report: Report): void {
  queryRule(rule, 'rule', report);
  const [least, most] = SCORES[textOf(rule['severity'])] ?? [0, 100];
  const score = Number(rule['risk_score']);
  if (!(score >= least && score <= most))
    report('risk_score', `must be ${least} to ${most} for ${textOf(rule['severity'])}`);
  if (!itemsOf(rule['index']).includes(OURS)) report('index', `must name ${OURS}`);
  checkQuery({ query: rule['query'], language: 'kuery' }, true, 'query', report);
  checkTimes(rule, report);
  checkThreat(rule, report);
}

/** True for a file of rules, false for one of saved objects. */
export const holdsRules = (ndjson: string): boolean =>
  ndjson.slice(0, ndjson.indexOf('\n')).includes('"rule_id"');

export function checkRules(ndjson: string): Problem[] {
  const problems: Problem[] = [];
  const seen = new Set<string>();
  for (const [index, line] of ndjson.trimEnd().split('\n').entries()) {
    const report: Report = (where, what) => {
      problems.push({ where: `line ${index + 1}: ${where}`, what });
    };
    let rule: Json;
    try {
      rule = objectOf(JSON.parse(line));
    } catch {
      report('rule', 'is not JSON');
      continue;
    }
    checkRule(rule, report);
    for (const key of [textOf(rule['rule_id']), textOf(rule['name'])]) {
      if (seen.has(key)) report('rule', `"${key}" stands twice`);
      seen.add(key);
    }
  }
  return problems;
}
