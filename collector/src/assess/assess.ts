/**
 * Takes documents and the rules, gives the alerts: one for each rule and chat that a document is for. Rules that count or remember are
 * not among them, see candidates.ts.
 * Keeps: pure. No clock, no store; the same documents give the same alerts.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type AlertFields, alertFields, createWriteTime } from './alert-fields.ts';
import { type AlertsConfig, rulesOf } from './alerts-config.ts';
import { chatsOfRule } from './chats-of-rule.ts';
import { compileMatch, subjectOf, type Test } from './match-document.ts';
import type { AlertRule } from './rule-config.ts';
import { createRuleSchedule, type Schedule } from './schedule.ts';

/** One message to one chat. */
export interface Alert {
  readonly ruleId: string;
  readonly eventId: string;
  /** UTC, cut to milliseconds: the time of the event's row in PostgreSQL. */
  readonly eventTimestamp: string;
  readonly eventTimeMs: number;
  /** Lower case, as in every table. */
  readonly agentId: string;
  /** Telegram's id, as text. */
  readonly chatId: string;
  readonly fields: AlertFields;
}

export type Assess = (documents: readonly ProcessStart[]) => Alert[];

interface Compiled {
  readonly rule: AlertRule;
  readonly chatIds: readonly string[];
  readonly test: Test;
  readonly schedule: Schedule | undefined;
}

/** Compiles the rules. Alerts come in the order of the documents, then of the rules. */
export function createAssess(config: AlertsConfig): Assess {
  const writeTime = createWriteTime(config.time_zone);
  const rules = rulesOf(config)
    .filter((rule) => rule.kind === 'any')
    .map((rule) => compile(rule, config))
    .filter((one) => one.chatIds.length > 0);

  function alertsOf({ rule, chatIds }: Compiled, document: ProcessStart): Alert[] {
    const fields = alertFields(document, rule, writeTime);
    const eventTimeMs = eventIdTimeMs(document.event.id);
    return chatIds.map((chatId) => ({
      ruleId: rule.id,
      eventId: document.event.id,
      eventTimestamp: new Date(eventTimeMs).toISOString(),
      eventTimeMs,
      agentId: document.agent.id.toLowerCase(),
      chatId,
      fields,
    }));
  }

  return (documents) =>
    documents.flatMap((document) => {
      const subject = subjectOf(document);
      return rules
        .filter(
          ({ test, schedule }) =>
            test(subject) && (schedule === undefined || schedule(eventIdTimeMs(document.event.id))),
        )
        .flatMap((one) => alertsOf(one, document));
    });
}

function compile(rule: AlertRule, config: AlertsConfig): Compiled {
  return {
    rule,
    chatIds: chatsOfRule(rule, config),
    test: compileMatch(rule),
    schedule: rule.schedule && createRuleSchedule(rule.schedule, config.time_zone),
  };
}
