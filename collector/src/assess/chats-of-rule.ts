/**
 * Takes a rule and the chats and routes of the file, says which chats hear an alert of it: by its severity, its labels, the PC and
 * the time.
 * Keeps: two names may stand for one chat, and several routes lead to it: it still gets one message. What no route takes goes to
 * the fallback.
 */
import { type AlertRule, SEVERITIES } from './rule-config.ts';
import { createRuleSchedule, type RuleScheduleConfig, type Schedule } from './schedule.ts';

/** What a file says about who hears what. */
export interface Routing {
  readonly time_zone: string;
  /** Name of a chat → its address, and what it can bear. */
  readonly chats: Readonly<Record<string, { readonly id: string }>>;
  readonly routes?: readonly Route[] | undefined;
  /** Name of the chat that hears what no route takes. */
  readonly fallback?: string | undefined;
}

/** Takes a rule that is severe enough and has one of the labels, of PCs of these groups, within the schedule. */
interface Route {
  readonly min_severity: AlertRule['severity'];
  readonly labels?: readonly string[] | undefined;
  readonly groups?: readonly string[] | undefined;
  readonly schedule?: RuleScheduleConfig | undefined;
  readonly chats: readonly string[];
}

type Heard = Pick<AlertRule, 'chats' | 'severity' | 'labels'>;

/** What an alert is about. */
export interface About {
  /** Groups of the PC. */
  readonly groups: () => readonly string[];
  /** Time of the event, Unix milliseconds. */
  readonly timeMs: number;
}

/** Who hears one rule, as addresses of chats. */
export interface Listeners {
  /** All that may hear it. */
  readonly all: readonly string[];
  readonly of: (about: About) => readonly string[];
}

/** The rule's own chats; else those of every route that takes it, else the fallback; without routes all. */
export function listenersOf(rule: Heard, routing: Routing): Listeners {
  const idsOf = (names: readonly string[]): string[] => [
    ...new Set(names.flatMap((name) => routing.chats[name]?.id ?? [])),
  ];
  if (rule.chats !== undefined || routing.routes === undefined) {
    const all = idsOf(rule.chats ?? Object.keys(routing.chats));
    return { all, of: () => all };
  }
  const fallback = routing.fallback === undefined ? [] : [routing.fallback];
  const taken = routing.routes.filter((route) => takes(route, rule));
  const named = taken.flatMap((route) => route.chats);
  if (taken.every(isForAll)) {
    const all = idsOf(named.length === 0 ? fallback : named);
    return { all, of: () => all };
  }
  const compiled = taken.map((route) => compileRoute(route, routing.time_zone, idsOf(route.chats)));
  const fallbackIds = idsOf(fallback);
  return {
    all: idsOf([...named, ...fallback]),
    of(about) {
      const ids = compiled.filter(({ holds }) => holds(about)).flatMap((route) => route.ids);
      return ids.length === 0 ? fallbackIds : [...new Set(ids)];
    },
  };
}

/** Whether at least one route takes the rule, whatever the PC and the time. */
export const isTaken = (rule: Heard, routes: readonly Route[]): boolean =>
  routes.some((route) => isForAll(route) && takes(route, rule));

const isForAll = ({ groups, schedule }: Route): boolean =>
  groups === undefined && schedule === undefined;

function compileRoute({ groups, schedule }: Route, zone: string, ids: readonly string[]) {
  const isTime: Schedule | undefined = schedule && createRuleSchedule(schedule, zone);
  return {
    ids,
    holds: (about: About): boolean =>
      (groups === undefined || about.groups().some((name) => groups.includes(name))) &&
      (isTime === undefined || isTime(about.timeMs)),
  };
}

function takes(route: Route, { severity, labels }: Heard): boolean {
  return (
    SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(route.min_severity) &&
    (route.labels === undefined || route.labels.some((label) => labels.includes(label)))
  );
}
