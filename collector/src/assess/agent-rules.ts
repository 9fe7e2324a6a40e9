/**
 * Takes the rules about agents and how the agents do, gives the troubles that rules are about.
 * Keeps: pure. A trouble that goes on keeps its name, so that it is told once; numbers in a reason do not make it another one.
 */
import { createWriteTime, type WriteTime } from './alert-fields.ts';
import { type AlertsConfig, rulesOf } from './alerts-config.ts';
import { type Listeners, listenersOf } from './chats-of-rule.ts';
import { compileGlobs, type Glob } from './glob.ts';
import { createFleetView, hostNames, NO_TAGS, type Place } from './pc-groups.ts';
import type { AlertRule, MatchLists } from './rule-config.ts';
import { isAgentKind } from './rule-kinds.ts';
import { createRuleSchedule, type Schedule } from './schedule.ts';

/** How an agent does, from the tables of the fleet. */
export interface AgentHealth {
  readonly id: string;
  readonly name: string;
  readonly host: string;
  readonly tags: readonly string[];
  readonly revoked: boolean;
  /** Last check-in, Unix milliseconds. */
  readonly lastSeenMs: number;
  /** Why it is degraded, as of its last check-in. */
  readonly reasons: readonly string[];
}

/** Something that happened to an agent. */
export interface AgentFact {
  readonly agentId: string;
  readonly factId: string;
  readonly kind: string;
  readonly reason: string;
}

/** A rule about agents, compiled. */
export interface AgentRule {
  readonly rule: AlertRule;
  readonly listeners: Listeners;
  /** Whether it is about the agent's PC. */
  readonly isAbout: (place: Place) => boolean;
  readonly groupsOf: (place: Place) => readonly string[];
  readonly isReason: Glob;
  readonly isTime: Schedule | undefined;
  readonly writeTime: WriteTime;
}

/** Something that a rule is to tell, or has told. */
export interface Trouble {
  readonly rule: AgentRule;
  /** The same while the trouble goes on. */
  readonly subject: string;
  readonly agent: AgentHealth;
  readonly place: Place;
  readonly reason: string;
}

const ANY: Glob = () => true;

/** The rules about agents that somebody hears. */
export function compileAgentRules(config: AlertsConfig): AgentRule[] {
  const { groupsOf } = createFleetView(config.groups, NO_TAGS);
  const writeTime = createWriteTime(config.time_zone);
  return rulesOf(config)
    .filter((rule) => isAgentKind(rule.kind))
    .map((rule) => ({
      rule,
      listeners: listenersOf(rule, config),
      isAbout: placeTest(rule, groupsOf),
      groupsOf,
      isReason: rule.reasons === undefined ? ANY : compileGlobs(rule.reasons),
      isTime: rule.schedule && createRuleSchedule(rule.schedule, config.time_zone),
      writeTime,
    }))
    .filter(({ listeners }) => listeners.all.length > 0);
}

/** The PC of an agent. */
export const placeOfAgent = ({
  host,
  name,
  tags,
}: Pick<AgentHealth, 'host' | 'name' | 'tags'>): Place => ({
  hosts: hostNames(host === '' ? name : host).map((one) => one.toLowerCase()),
  tags: tags.map((tag) => tag.toLowerCase()),
});

function placeTest(rule: AlertRule, groupsOf: AgentRule['groupsOf']): AgentRule['isAbout'] {
  const isWanted = listsTest(rule, groupsOf, (tests) => tests.every(Boolean));
  const isUnwanted = listsTest(rule.exclude ?? {}, groupsOf, (tests) => tests.some(Boolean));
  return (place) => isWanted(place) && !isUnwanted(place);
}

function listsTest(
  { hosts, tags, groups }: MatchLists,
  groupsOf: AgentRule['groupsOf'],
  together: (tests: readonly boolean[]) => boolean,
): (place: Place) => boolean {
  const globs = {
    hosts: hosts && compileGlobs(hosts),
    tags: tags && compileGlobs(tags),
    groups: groups && compileGlobs(groups),
  };
  return (place) =>
    together([
      ...(globs.hosts === undefined ? [] : [place.hosts.some(globs.hosts)]),
      ...(globs.tags === undefined ? [] : [place.tags.some(globs.tags)]),
      ...(globs.groups === undefined
        ? []
        : [groupsOf(place).some((name) => globs.groups?.(name.toLowerCase()))]),
    ]);
}

export interface HealthTimes {
  readonly nowMs: number;
  /** Of rules of kind agent_offline that say no time of their own. */
  readonly offlineAfterMs: number;
}

/** What the rules are about now. A rule whose schedule does not hold is about nothing. */
export function troublesOf(
  rules: readonly AgentRule[],
  agents: readonly AgentHealth[],
  facts: readonly AgentFact[],
  times: HealthTimes,
): Trouble[] {
  const factsOf = Map.groupBy(facts, (fact) => fact.agentId);
  return rules
    .filter(({ isTime }) => isTime === undefined || isTime(times.nowMs))
    .flatMap((rule) =>
      agents
        .filter((agent) => !agent.revoked)
        .flatMap((agent): Trouble[] => {
          const place = placeOfAgent(agent);
          if (!rule.isAbout(place)) return [];
          const found =
            rule.rule.kind === 'agent_offline'
              ? offline(rule, agent, times)
              : degraded(rule, agent, factsOf.get(agent.id) ?? []);
          return found.map((one) => ({ ...one, rule, agent, place }));
        }),
    );
}

type Found = Pick<Trouble, 'subject' | 'reason'>;

function offline({ rule, writeTime }: AgentRule, agent: AgentHealth, times: HealthTimes): Found[] {
  const afterMs = rule.within ?? times.offlineAfterMs;
  if (times.nowMs - agent.lastSeenMs <= afterMs) return [];
  return [{ subject: agent.id, reason: writeTime(agent.lastSeenMs) }];
}

/** What stands for facts among the reasons is told by the facts themselves. */
const OF_FACTS = / in the last 24 h(: \d+)?$/;

function degraded(rule: AgentRule, agent: AgentHealth, facts: readonly AgentFact[]): Found[] {
  const standing = agent.reasons
    .filter((reason) => !OF_FACTS.test(reason) && rule.isReason(reason.toLowerCase()))
    .map((reason) => ({ subject: `${agent.id} ${reason.replace(/\d+/g, '#')}`, reason }));
  const happened = facts
    .filter((fact) => rule.isReason(fact.kind) || rule.isReason(fact.reason.toLowerCase()))
    .map(({ factId, kind, reason }) => ({
      subject: `${agent.id} fact ${factId}`,
      reason: reason === '' ? kind : `${kind}: ${reason}`,
    }));
  return [...standing, ...happened];
}
