/**
 * Takes the rules and a document, says for each rule in sentences why it is not about the document.
 * Keeps: the sentences come from the tests that assess uses; a rule without a sentence is a rule that fires, or one that counts and is
 * about the document. A sequence has two parts, and a document that is neither is told why for both.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type Condition, compileCondition, fieldValue } from '@launchbeat/ecs-schemas/conditions';
import { createWriteTime } from './alert-fields.ts';
import { type AlertsConfig, allRules } from './alerts-config.ts';
import { listenersOf } from './chats-of-rule.ts';
import {
  type ListName,
  listMatches,
  listsOf,
  type NamedList,
  type Subject,
  subjectOf,
  textsOf,
} from './match-document.ts';
import { createFleetView, NO_TAGS } from './pc-groups.ts';
import type { AlertRule, MatchLists } from './rule-config.ts';
import { isAgentKind } from './rule-kinds.ts';
import { createRuleSchedule } from './schedule.ts';

/** A rule and what keeps it from firing. */
export interface ExplainedRule {
  readonly rule: AlertRule;
  /** Ids of the chats that hear it. */
  readonly chatIds: readonly string[];
  /** Sentences without a stop, each opened by the key that decides; none = it fires. */
  readonly whyNot: (document: ProcessStart) => string[];
}

/** Every rule of the file in its order, those that are switched off too. */
export function explainRules(config: AlertsConfig, tagsOf = NO_TAGS): ExplainedRule[] {
  const fleet = createFleetView(config.groups, tagsOf);
  return allRules(config.rules).map((rule) => {
    const chatIds = listenersOf(rule, config).all;
    const always = [
      ...(rule.enabled ? [] : ['enabled: the rule is switched off']),
      ...(chatIds.length === 0 ? ['chats: nobody hears the rule'] : []),
    ];
    const whyLists = explainLists(rule);
    const next = rule.followed_by;
    const whyNext = next && explainLists(next, 'followed_by.');
    const unwanted = listsOf(rule.exclude ?? {});
    const whySchedule = explainSchedule(rule, config.time_zone);
    return {
      rule,
      chatIds,
      whyNot(document) {
        if (isAgentKind(rule.kind)) return [`kind: ${rule.kind} is about agents, not events`];
        const subject = subjectOf(document, fleet);
        const whyFirst = [
          ...whyLists(subject),
          ...(rule.when === undefined ? [] : whyCondition(rule.when, document, 'when')),
        ];
        // A rule of one part is its own second one.
        const whyThen = whyNext?.(subject) ?? whyFirst;
        return [
          ...always,
          ...whyLaunch(rule, document),
          ...(whyFirst.length === 0 || whyThen.length === 0
            ? []
            : new Set([...whyFirst, ...whyThen])),
          ...unwanted
            .filter((one) => listMatches(one, subject))
            .map(
              (one) => `exclude.${one.name}: ${shown(subject, one.name)} is in ${patternsOf(one)}`,
            ),
          ...whySchedule(document),
        ];
      },
    };
  });
}

const shown = (subject: Subject, name: ListName): string =>
  textsOf(subject, name).join(', ') || 'nothing';
const patternsOf = ({ patterns }: NamedList): string => `[${patterns.join(', ')}]`;

const whyLaunch = (rule: AlertRule, { launchbeat }: ProcessStart): string[] =>
  rule.launch_only && !launchbeat.launch
    ? ['launch_only: it is a helper process, or started by the system']
    : [];

/** Why the lists of a rule, or of its second part, are not about a subject. */
function explainLists(lists: MatchLists, at = ''): (subject: Subject) => string[] {
  const wanted = listsOf(lists);
  return (subject) => [
    ...(lists.programs === undefined && subject.document.launchbeat.program === undefined
      ? [`${at}programs: the rule names none, and the program is not a watched one`]
      : []),
    ...wanted
      .filter((one) => !listMatches(one, subject))
      .map((one) => `${at}${one.name}: ${shown(subject, one.name)} is not in ${patternsOf(one)}`),
  ];
}

function explainSchedule(rule: AlertRule, fileZone: string): (document: ProcessStart) => string[] {
  const { schedule } = rule;
  if (schedule === undefined) return () => [];
  const holds = createRuleSchedule(schedule, fileZone);
  const zone = schedule.time_zone ?? fileZone;
  const writeTime = createWriteTime(zone);
  return (document) => {
    const timeMs = eventIdTimeMs(document.event.id);
    if (holds(timeMs)) return [];
    const where = schedule.outside ? 'within it, and outside is true' : 'outside of it';
    return [`schedule: ${writeTime(timeMs)} in ${zone} is ${where}`];
  };
}

/** What of a condition does not hold, down to the field and its value; none = it holds. */
function whyCondition(condition: Condition, document: object, at: string): string[] {
  if (compileCondition(condition)(document)) return [];
  switch (condition.kind) {
    case 'and':
    case 'or':
      return condition.conditions.flatMap((one, index) =>
        whyCondition(one, document, `${at}.${condition.kind}.${index}`),
      );
    case 'not':
      return [`${at}.not: the condition in it holds`];
    case 'has_fields':
      return condition.names
        .filter((name) => fieldValue(document, name.split('.')) === undefined)
        .map((name) => `${at}.has_fields: ${name} is not there`);
    case 'equals':
    case 'contains':
    case 'regexp':
    case 'range':
    case 'network':
      return whyFields(condition, document, at);
  }
}

type FieldCondition = Extract<Condition, { readonly fields: unknown }>;

function whyFields(condition: FieldCondition, document: object, at: string): string[] {
  return [...condition.fields].flatMap(([field, wanted]) => {
    const alone = { kind: condition.kind, fields: new Map([[field, wanted]]) } as Condition;
    if (compileCondition(alone)(document)) return [];
    const value = JSON.stringify(fieldValue(document, field.split('.'))) ?? 'nothing';
    return [`${at}.${condition.kind}.${field}: ${value} does not fit ${JSON.stringify(wanted)}`];
  });
}
