/**
 * Takes documents and the rules that count or remember, gives candidates: what an alert may come of.
 * Keeps: pure. Whether an alert comes of one is decided where the memory is, see track-hits.ts.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type AlertFields, actorOf, alertFields, createWriteTime } from './alert-fields.ts';
import { type AlertsConfig, rulesOf } from './alerts-config.ts';
import { listenersOf } from './chats-of-rule.ts';
import { compileMatch, groupsOf, type Subject, subjectOf } from './match-document.ts';
import { createFleetView, NO_TAGS } from './pc-groups.ts';
import type { AlertRule } from './rule-config.ts';
import { createRuleIndex } from './rule-index.ts';
import { isAgentKind, type KeyField, type RuleKind } from './rule-kinds.ts';
import { createRuleSchedule, type Schedule } from './schedule.ts';

/** A rule that counts or remembers. */
export interface TrackedRule {
  readonly id: string;
  readonly kind: Exclude<RuleKind, 'any' | 'agent_offline' | 'agent_degraded'>;
  /** Another text for each meaning: a rule that is changed begins anew. */
  readonly definition: string;
  /** What its alerts say of the rule. */
  readonly words: Pick<AlertRule, 'id' | 'severity' | 'labels' | 'mitre'>;
  readonly keyFields: readonly KeyField[];
  /** What is counted without repetition; absent = events. */
  readonly ofField: KeyField | undefined;
  /** Milliseconds of the events' time; 0 for new_value. */
  readonly windowMs: number;
  /** Times are taken to so much, so that repeated values do not pile up. */
  readonly grainMs: number;
  /** So many make an alert; of rare and flatline the border below which there is one. */
  readonly count: number;
  /** Of spike: so many times the usual. */
  readonly times: number;
  /** Of spike: so many windows are the usual. */
  readonly baseline: number;
  /** So long new_value only learns. */
  readonly warmUpMs: number;
  /** Hits that are so much older or newer than now do not count. */
  readonly latenessMs: number;
  /** Of flatline: silence counts only while the schedule holds. */
  readonly isTime: Schedule | undefined;
  /** Chats that may hear it. */
  readonly chatIds: readonly string[];
}

/** A document that such a rule is about. */
export interface Candidate {
  readonly rule: TrackedRule;
  /** What belongs together, as one text. */
  readonly key: string;
  /** What is counted without repetition. */
  readonly value: string;
  /** `then` = the second part of a sequence. */
  readonly part: 'hit' | 'then';
  readonly eventId: string;
  /** Unix milliseconds. */
  readonly eventTimeMs: number;
  readonly agentId: string;
  readonly fields: AlertFields;
  /** Chats that hear of this one. */
  readonly chatIds: readonly string[];
}

export type FindCandidates = (documents: readonly ProcessStart[]) => Candidate[];

/** So long new_value learns unless told otherwise: a week has all its days. */
const WARM_UP_MS = 7 * 86_400_000;
/** A window of a cardinality rule is cut into so many parts. */
const GRAINS = 100;
/** A day of hours. */
const BASELINE = 24;

/** Compiles the counting rules. Candidates come in the order of the documents, then of the rules. */
export function createCandidates(config: AlertsConfig, tagsOf = NO_TAGS): FindCandidates {
  const writeTime = createWriteTime(config.time_zone);
  const fleet = createFleetView(config.groups, tagsOf);
  const parts = countingRules(config);
  if (parts.length === 0) return () => [];
  const fitting = createRuleIndex(parts);

  function candidateOf({ rule, tracked, listeners, part }: Part, subject: Subject): Candidate {
    const { document } = subject;
    const { of, key = [] } = rule;
    const eventTimeMs = eventIdTimeMs(document.event.id);
    return {
      rule: tracked,
      key: JSON.stringify(key.map((field) => keyText(document, field))),
      value: of === undefined ? document.event.id : keyText(document, of),
      eventId: document.event.id,
      eventTimeMs,
      agentId: document.agent.id.toLowerCase(),
      fields: alertFields(document, tracked.words, writeTime),
      chatIds: listeners.of({ timeMs: eventTimeMs, groups: () => groupsOf(subject) }),
      part,
    };
  }

  return (documents) =>
    documents.flatMap((document) => {
      const subject = subjectOf(document, fleet);
      const timeMs = eventIdTimeMs(document.event.id);
      return fitting(subject)
        .filter(({ test, schedule }) => test(subject) && (schedule?.(timeMs) ?? true))
        .map((part) => candidateOf(part, subject));
    });
}

/** The rules that count, as they are kept in mind. */
export const trackedRules = (config: AlertsConfig): TrackedRule[] =>
  countingRules(config)
    .filter(({ part }) => part === 'hit')
    .map(({ tracked }) => tracked);

type Part = ReturnType<typeof partsOf>[number];

const countingRules = (config: AlertsConfig): Part[] =>
  rulesOf(config)
    .filter((rule) => rule.kind !== 'any' && !isAgentKind(rule.kind))
    .flatMap((rule) => partsOf(rule, config))
    .filter(({ listeners }) => listeners.all.length > 0);

/** What a document can be to a rule: its first part, and of a sequence the one that follows. */
function partsOf(rule: AlertRule, config: AlertsConfig) {
  const { followed_by: next, schedule: hours } = rule;
  const schedule = hours && createRuleSchedule(hours, config.time_zone);
  const listeners = listenersOf(rule, config);
  const tracked = trackedRule(rule, config, listeners.all);
  // The exceptions hold for both parts; the lists and the condition are each part's own.
  const then = next && { ...rule, ...NO_LISTS, ...next, when: undefined };
  return [
    { rule, part: 'hit' as const, test: compileMatch(rule), schedule, listeners, tracked },
    ...(then === undefined
      ? []
      : [
          {
            rule: then,
            part: 'then' as const,
            test: compileMatch(then),
            schedule,
            listeners,
            tracked,
          },
        ]),
  ];
}

const NO_LISTS = {
  programs: undefined,
  users: undefined,
  hosts: undefined,
  parents: undefined,
  executables: undefined,
  command_lines: undefined,
  flags: undefined,
  tags: undefined,
  groups: undefined,
};

/** What a rule keeps in mind; neither its words nor who hears it makes it another one. */
function trackedRule(
  rule: AlertRule,
  config: AlertsConfig,
  chatIds: readonly string[],
): TrackedRule {
  const { id, kind, key = [], of, within = 0, count = 1, warm_up: warmUp } = rule;
  if (kind === 'any' || isAgentKind(kind)) {
    throw new RangeError(`A rule of kind ${kind} has nothing to keep in mind.`);
  }
  const words = {
    description: undefined,
    severity: undefined,
    labels: [],
    mitre: [],
    template: undefined,
  };
  const telling = {
    ...{ chats: undefined, max_age: undefined, suppress: undefined },
    ...{ digest: undefined, warm_up: undefined },
  };
  const isCoarse = kind === 'cardinality' || kind === 'rare';
  return {
    id,
    kind,
    definition: JSON.stringify({ ...rule, ...words, ...telling }, readable),
    words: rule,
    keyFields: key,
    ofField: of,
    windowMs: within,
    grainMs: isCoarse ? Math.max(1, Math.floor(within / GRAINS)) : 1,
    count,
    times: rule.times ?? 0,
    baseline: rule.baseline ?? BASELINE,
    warmUpMs: warmUp ?? WARM_UP_MS,
    latenessMs: config.lateness,
    isTime: rule.schedule && createRuleSchedule(rule.schedule, config.time_zone),
    chatIds,
  };
}

/** Conditions hold maps and patterns, which JSON would leave out. */
function readable(_: string, value: unknown): unknown {
  if (value instanceof Map) return [...value];
  return value instanceof RegExp ? String(value) : value;
}

/** What events are told apart by, in lower case; empty where the event does not say. */
export function keyText(document: ProcessStart, field: KeyField): string {
  return (KEY_TEXTS[field](document) ?? '').toLowerCase();
}

const KEY_TEXTS: Readonly<Record<KeyField, (document: ProcessStart) => string | undefined>> = {
  user: (document) => {
    const { name = '', domain = '' } = actorOf(document);
    return `${domain}\\${name}`;
  },
  host: ({ host }) => host.name,
  process: ({ process }) => process.name,
  program: ({ launchbeat, process }) => launchbeat.program ?? process.name,
  executable: ({ process }) => process.executable,
  parent: ({ process }) => process.parent?.name,
  command_line: ({ process }) => process.command_line,
};
