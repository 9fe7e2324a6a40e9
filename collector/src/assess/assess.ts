/**
 * Takes documents and the rules, gives the alerts: one for each rule and chat that a document is for. Rules that count or remember are
 * not among them, see candidates.ts.
 * Keeps: pure. No clock, no store; the same documents give the same alerts.
 */
import { eventIdTimeMs, type ProcessStart } from '@launchbeat/ecs-schemas';
import { type AlertFields, alertFields, createWriteTime } from './alert-fields.ts';
import { type AlertsConfig, rulesOf } from './alerts-config.ts';
import { type Listeners, listenersOf } from './chats-of-rule.ts';
import { compileMatch, groupsOf, type Subject, subjectOf, type Test } from './match-document.ts';
import { createFleetView, NO_TAGS } from './pc-groups.ts';
import type { AlertRule } from './rule-config.ts';
import { createRuleIndex } from './rule-index.ts';
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
  /** Address of the chat, see chat-address.ts. */
  readonly chatId: string;
  readonly fields: AlertFields;
}

export type Assess = (documents: readonly ProcessStart[]) => Alert[];

interface Compiled {
  readonly rule: AlertRule;
  readonly listeners: Listeners;
  readonly test: Test;
  readonly schedule: Schedule | undefined;
}

/** Compiles the rules. Alerts come in the order of the documents, then of the rules. `tagsOf`: what the fleet knows of agents. */
export function createAssess(config: AlertsConfig, tagsOf = NO_TAGS): Assess {
  const writeTime = createWriteTime(config.time_zone);
  const fleet = createFleetView(config.groups, tagsOf);
  const rules = rulesOf(config)
    .filter((rule) => rule.kind === 'any')
    .map((rule) => compile(rule, config))
    .filter(({ listeners }) => listeners.all.length > 0);
  const fitting = createRuleIndex(rules);

  function alertsOf({ rule, listeners }: Compiled, subject: Subject): Alert[] {
    const { document } = subject;
    const fields = alertFields(document, rule, writeTime);
    const eventTimeMs = eventIdTimeMs(document.event.id);
    const about = { timeMs: eventTimeMs, groups: () => groupsOf(subject) };
    return listeners.of(about).map((chatId) => ({
      ruleId: rule.id,
      eventId: document.event.id,
      eventTimestamp: new Date(eventTimeMs).toISOString(),
      eventTimeMs,
      agentId: document.agent.id.toLowerCase(),
      chatId,
      fields,
    }));
  }

  return (documents) => {
    const alerts: Alert[] = [];
    for (const document of documents) {
      const subject = subjectOf(document, fleet);
      for (const one of fitting(subject)) {
        const { test, schedule } = one;
        if (!test(subject)) continue;
        if (schedule !== undefined && !schedule(eventIdTimeMs(document.event.id))) continue;
        alerts.push(...alertsOf(one, subject));
      }
    }
    return alerts;
  };
}

function compile(rule: AlertRule, config: AlertsConfig): Compiled {
  return {
    rule,
    listeners: listenersOf(rule, config),
    test: compileMatch(rule),
    schedule: rule.schedule && createRuleSchedule(rule.schedule, config.time_zone),
  };
}
