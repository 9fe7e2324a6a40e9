/**
 * Takes documents and the rules that count or remember, gives candidates: what an alert may come of.
 * Keeps: pure. Whether an alert comes of one is decided where the memory is, see track-hits.ts.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type AlertFields, actorOf, alertFields, createWriteTime } from './alert-fields.ts';
import { type AlertsConfig, rulesOf } from './alerts-config.ts';
import { chatsOfRule } from './chats-of-rule.ts';
import { compileMatch, type Subject, subjectOf } from './match-document.ts';
import type { AlertRule } from './rule-config.ts';
import type { KeyField, RuleKind } from './rule-kinds.ts';
import { createRuleSchedule } from './schedule.ts';

/** A rule that counts or remembers. */
export interface TrackedRule {
  readonly id: string;
  readonly kind: Exclude<RuleKind, 'any'>;
  /** Another text for each meaning: a rule that is changed begins anew. */
  readonly definition: string;
  readonly keyFields: readonly KeyField[];
  /** Milliseconds of the events' time; 0 for new_value. */
  readonly windowMs: number;
  /** Times are taken to so much, so that repeated values do not pile up. */
  readonly grainMs: number;
  /** So many make an alert. */
  readonly count: number;
  /** So long new_value only learns. */
  readonly warmUpMs: number;
  /** Hits that are so much older or newer than now do not count. */
  readonly latenessMs: number;
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
}

export type FindCandidates = (documents: readonly ProcessStart[]) => Candidate[];

/** So long new_value learns unless told otherwise: a week has all its days. */
const WARM_UP_MS = 7 * 86_400_000;
/** A window of a cardinality rule is cut into so many parts. */
const GRAINS = 100;

/** Compiles the counting rules. Candidates come in the order of the documents, then of the rules. */
export function createCandidates(config: AlertsConfig): FindCandidates {
  const writeTime = createWriteTime(config.time_zone);
  const rules = countingRules(config);
  if (rules.length === 0) return () => [];
  return (documents) =>
    documents.flatMap((document) => {
      const subject = subjectOf(document);
      return rules.flatMap((one) => {
        const parts = partsOf(one, subject);
        if (parts.length === 0) return [];
        const { of, key = [] } = one.rule;
        const shared = {
          rule: one.tracked,
          key: JSON.stringify(key.map((field) => keyText(document, field))),
          value: of === undefined ? document.event.id : keyText(document, of),
          eventId: document.event.id,
          eventTimeMs: eventIdTimeMs(document.event.id),
          agentId: document.agent.id.toLowerCase(),
          fields: alertFields(document, one.rule, writeTime),
        };
        return parts.map((part) => ({ ...shared, part }));
      });
    });
}

/** The rules that count, as they are kept in mind. */
export const trackedRules = (config: AlertsConfig): TrackedRule[] =>
  countingRules(config).map((one) => one.tracked);

type Compiled = ReturnType<typeof compile>;

const countingRules = (config: AlertsConfig): Compiled[] =>
  rulesOf(config)
    .filter((rule) => rule.kind !== 'any')
    .map((rule) => compile(rule, config))
    .filter((one) => one.tracked.chatIds.length > 0);

/** What a document is to a rule, within its schedule. */
function partsOf({ hit, next, schedule }: Compiled, subject: Subject): Candidate['part'][] {
  const parts: Candidate['part'][] = [
    ...(hit(subject) ? ['hit' as const] : []),
    ...(next?.(subject) === true ? ['then' as const] : []),
  ];
  if (parts.length === 0 || schedule === undefined) return parts;
  return schedule(eventIdTimeMs(subject.document.event.id)) ? parts : [];
}

function compile(rule: AlertRule, config: AlertsConfig) {
  const { followed_by: next, schedule } = rule;
  return {
    rule,
    hit: compileMatch(rule),
    // The exceptions hold for both parts; the lists and the condition are each part's own.
    next: next && compileMatch({ ...rule, ...NO_LISTS, ...next, when: undefined }),
    schedule: schedule && createRuleSchedule(schedule, config.time_zone),
    tracked: trackedRule(rule, config),
  };
}

const NO_LISTS = {
  programs: undefined,
  users: undefined,
  hosts: undefined,
  parents: undefined,
  executables: undefined,
  command_lines: undefined,
  flags: undefined,
};

/** What a rule keeps in mind; neither its words nor who hears it makes it another one. */
function trackedRule(rule: AlertRule, config: AlertsConfig): TrackedRule {
  const { id, kind, key = [], within = 0, count = 1, warm_up: warmUp } = rule;
  if (kind === 'any') throw new RangeError('A rule of kind any has nothing to keep in mind.');
  const words = {
    description: undefined,
    severity: undefined,
    labels: [],
    mitre: [],
    template: undefined,
  };
  const telling = { chats: undefined, max_age: undefined, suppress: undefined, warm_up: undefined };
  return {
    id,
    kind,
    definition: JSON.stringify({ ...rule, ...words, ...telling }, readable),
    keyFields: key,
    windowMs: within,
    grainMs: kind === 'cardinality' ? Math.max(1, Math.floor(within / GRAINS)) : 1,
    count,
    warmUpMs: warmUp ?? WARM_UP_MS,
    latenessMs: config.lateness,
    chatIds: chatsOfRule(rule, config),
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
