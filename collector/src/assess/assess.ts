/**
 * Takes documents and the rules, gives the alerts: one for each rule and chat that a document is for.
 * Keeps: pure. No clock, no store; the same documents give the same alerts.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type AlertFields, actorOf, alertFields, createWriteTime } from './alert-fields.ts';
import { type AlertRule, type AlertsConfig, rulesOf } from './alerts-config.ts';
import { compileGlob, type Glob } from './glob.ts';

/** One message to one chat. */
export interface Alert {
  readonly ruleId: string;
  readonly eventId: string;
  /** ISO 8601, UTC, milliseconds. */
  readonly eventTimestamp: string;
  /** Unix milliseconds. */
  readonly eventTimeMs: number;
  readonly agentId: string;
  /** Telegram's id or @name. */
  readonly chatId: string;
  readonly fields: AlertFields;
}

export type Assess = (documents: readonly ProcessStart[]) => Alert[];

type Test = (document: ProcessStart) => boolean;

/** Compiles the rules. Alerts come in the order of the documents, then of the rules. */
export function createAssess(config: AlertsConfig): Assess {
  const writeTime = createWriteTime(config.time_zone);
  const rules = rulesOf(config)
    .map((rule) => ({ id: rule.id, test: compileRule(rule), chatIds: chatIdsOf(rule, config) }))
    .filter((rule) => rule.chatIds.length > 0);
  return (documents) =>
    documents.flatMap((document) =>
      rules
        .filter((rule) => rule.test(document))
        .flatMap((rule) => {
          const fields = alertFields(document, rule.id, writeTime);
          const eventTimeMs = eventIdTimeMs(document.event.id);
          return rule.chatIds.map((chatId) => ({
            ruleId: rule.id,
            eventId: document.event.id,
            eventTimestamp: new Date(eventTimeMs).toISOString(),
            eventTimeMs,
            agentId: document.agent.id.toLowerCase(),
            chatId,
            fields,
          }));
        }),
    );
}

/** Two names may stand for one chat: it still gets one message. */
function chatIdsOf(rule: AlertRule, config: AlertsConfig): string[] {
  const names = rule.chats ?? Object.keys(config.chats);
  return [...new Set(names.flatMap((name) => config.chats[name] ?? []))];
}

function compileRule(rule: AlertRule): Test {
  const wanted = compileLists(rule);
  const unwanted = compileLists(rule.exclude ?? {});
  return (document) =>
    (!rule.launch_only || document.launchbeat.launch) &&
    // A rule that names no programs is about the watched ones.
    (rule.programs !== undefined || document.launchbeat.program !== undefined) &&
    wanted.every((test) => test(document)) &&
    !unwanted.some((test) => test(document));
}

function compileLists(lists: Pick<AlertRule, 'programs' | 'users' | 'hosts'>): Test[] {
  const { programs, users, hosts } = lists;
  return [
    ...(programs === undefined ? [] : [anyOf(programs, programNames)]),
    ...(users === undefined ? [] : [anyOf(users, userNames)]),
    ...(hosts === undefined ? [] : [anyOf(hosts, hostNames)]),
  ];
}

function anyOf(patterns: readonly string[], namesOf: (document: ProcessStart) => string[]): Test {
  const globs: Glob[] = patterns.map(compileGlob);
  return (document) => namesOf(document).some((name) => globs.some((glob) => glob(name)));
}

function programNames({ launchbeat, process }: ProcessStart): string[] {
  return [launchbeat.program, process.name].filter((name) => name !== undefined);
}

function userNames(document: ProcessStart): string[] {
  const { name, domain } = actorOf(document);
  if (name === undefined) return [];
  return domain === undefined ? [name] : [name, `${domain}\\${name}`];
}

function hostNames({ host }: ProcessStart): string[] {
  return [host.name, host.name.split('.')[0] ?? ''];
}
