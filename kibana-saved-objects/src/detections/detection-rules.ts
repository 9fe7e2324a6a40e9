/**
 * Gives detection rules for Elastic Security, as one NDJSON text to import there.
 * Keeps: all of them are imported switched off, since only who knows the office can tell what is everyday in it; a rule looks back
 * over an hour, since a PC that was offline sends late, and Kibana makes one alert of one document however often it is seen. Only
 * keys that 8.11 knows.
 */
import { stableId } from '../build/saved-object.ts';
import { DATA_VIEW_TITLE } from '../dashboards/events-data-view.ts';
import { threatOf } from './attack.ts';
import { HABIT_RULES } from './habit-rules.ts';
import { RISK_SCORES, type RuleParts } from './rule-parts.ts';
import { TRAIT_RULES } from './trait-rules.ts';

/** The file, relative to the package. */
export const RULES_FILE = 'launchbeat-rules.ndjson';

/** What makes a rule of one type. Kibana: rule_schema/model/rule_schemas (type specific). */
function kindOf({ threshold, newTerms }: RuleParts): object {
  if (threshold !== undefined) {
    const { fields, starts, different } = threshold;
    return {
      type: 'threshold',
      threshold: {
        field: fields,
        value: starts,
        cardinality: [{ field: different.field, value: different.values }],
      },
    };
  }
  if (newTerms === undefined) return { type: 'query' };
  const { fields, since } = newTerms;
  return { type: 'new_terms', new_terms_fields: fields, history_window_start: since };
}

/** Elastic's own rules head their guide like this; Timeline and the alert's flyout show it. */
const guideOf = (steps: readonly string[]): string =>
  ['## Triage and analysis', '', ...steps.map((step, index) => `${index + 1}. ${step}`)].join('\n');

function ruleOf(parts: RuleParts): object {
  return {
    rule_id: stableId('launchbeat-rule', parts.key),
    ...kindOf(parts),
    name: `[Launchbeat] ${parts.name}`,
    description: parts.description,
    index: [DATA_VIEW_TITLE],
    language: 'kuery',
    query: parts.query,
    severity: parts.severity,
    risk_score: RISK_SCORES[parts.severity],
    threat: threatOf(parts.techniques),
    false_positives: [parts.everyday],
    note: guideOf(parts.investigate),
    tags: ['Launchbeat', 'OS: Windows'],
    author: ['Launchbeat'],
    references: [],
    enabled: false,
    interval: '5m',
    from: 'now-65m',
    to: 'now',
    max_signals: 100,
    version: 1,
    exceptions_list: [],
    actions: [],
  };
}

/** The line that Kibana's own exports of rules end with; an import leaves out whatever has `exported_count`. */
const summaryOf = (rules: number): object => ({
  exported_count: rules,
  exported_rules_count: rules,
  missing_rules: [],
  missing_rules_count: 0,
  exported_exception_list_count: 0,
  exported_exception_list_item_count: 0,
  missing_exception_list_item_count: 0,
  missing_exception_list_items: [],
  missing_exception_lists: [],
  missing_exception_lists_count: 0,
  exported_action_connector_count: 0,
  missing_action_connection_count: 0,
  missing_action_connections: [],
  excluded_action_connection_count: 0,
  excluded_action_connections: [],
});

/** One rule a line, then the summary. */
export function rulesText(): string {
  const rules = [...TRAIT_RULES, ...HABIT_RULES].map(ruleOf);
  return [...rules, summaryOf(rules.length)].map((one) => `${JSON.stringify(one)}\n`).join('');
}
