/**
 * Takes a rule and the chats and routes of the file, gives the ids of the chats that hear it.
 * Keeps: two names may stand for one chat, and several routes lead to it: it still gets one message.
 */
import { type AlertRule, SEVERITIES } from './rule-config.ts';

/** What a file says about who hears what. */
export interface Routing {
  /** Name of a chat → its id, and what it can bear. */
  readonly chats: Readonly<Record<string, { readonly id: string }>>;
  readonly routes?: readonly Route[] | undefined;
}

/** Takes a rule that is severe enough and has one of the labels. */
interface Route {
  readonly min_severity: AlertRule['severity'];
  readonly labels?: readonly string[] | undefined;
  readonly chats: readonly string[];
}

type Heard = Pick<AlertRule, 'chats' | 'severity' | 'labels'>;

/** The rule's own chats; else those of every route that takes it; else all. */
export function chatsOfRule(rule: Heard, routing: Routing): string[] {
  const names = rule.chats ?? routed(rule, routing) ?? Object.keys(routing.chats);
  return [...new Set(names.flatMap((name) => routing.chats[name]?.id ?? []))];
}

/** Whether at least one route takes the rule. */
export const isTaken = (rule: Heard, routes: readonly Route[]): boolean =>
  routes.some((route) => takes(route, rule));

function routed(rule: Heard, routing: Routing): string[] | undefined {
  return routing.routes?.filter((route) => takes(route, rule)).flatMap((route) => route.chats);
}

function takes(route: Route, { severity, labels }: Heard): boolean {
  return (
    SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(route.min_severity) &&
    (route.labels === undefined || route.labels.some((label) => labels.includes(label)))
  );
}
