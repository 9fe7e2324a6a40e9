/**
 * Takes a document, gives the flat texts that a message template may show.
 * Keeps: every field is there, empty where the event does not say; the time is the event's, in the operator's zone.
 */
import { type ProcessStart, systemTimeMs } from '@launchbeat/ecs-schemas';
import type { AlertRule } from './rule-config.ts';

/** Name of a template field and what it shows; docs and error messages are made from this. */
export const ALERT_FIELDS = {
  time: 'time of the start, 23.11.2026 14:03:27',
  user: 'who started it, without the domain',
  domain: 'domain of the user',
  user_id: 'SID of the user',
  process: 'name of the program file, chrome.exe',
  program: 'label of the watched program, Google Chrome',
  executable: 'whole path of the program file',
  command_line: 'command line',
  pid: 'process id',
  parent: 'name of the program that started it',
  parent_executable: 'whole path of that program',
  host: 'name of the PC',
  agent: 'name of the agent',
  agent_id: 'id of the agent',
  flags: 'traits such as elevated, separated by commas',
  rule: 'id of the rule',
  event_id: 'id of the event, the same in PostgreSQL and Elasticsearch',
  severity: 'severity of the rule: low, medium, high or critical',
  labels: 'labels of the rule, separated by commas',
  mitre: 'MITRE ATT&CK ids of the rule, separated by commas',
  count: 'how many events or values made the alert, of rules that count',
  key: 'what these have in common, of rules that count or remember',
  reason: 'what is wrong or unusual, of spike, flatline and rules about agents',
  link: 'address of the event in Kibana, where kibana.link is set',
} as const;

export type AlertFieldName = keyof typeof ALERT_FIELDS;
export type AlertFields = Readonly<Record<AlertFieldName, string>>;

/** Writes Unix milliseconds as dd.MM.yyyy HH:mm:ss. */
export type WriteTime = (timeMs: number) => string;

/** Makes the writer for an IANA time zone; one formatter is kept, since making one is slow. */
export function createWriteTime(timeZone: string): WriteTime {
  const format = new Intl.DateTimeFormat('en-GB', {
    timeZone,
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    day: '2-digit',
    month: '2-digit',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
  return (timeMs) => {
    const parts: Partial<Record<Intl.DateTimeFormatPartTypes, string>> = {};
    for (const { type, value } of format.formatToParts(timeMs)) parts[type] = value;
    const { day, month, year, hour, minute, second } = parts;
    return `${day}.${month}.${year} ${hour}:${minute}:${second}`;
  };
}

/** The fields of one alert. */
export function alertFields(
  document: ProcessStart,
  rule: Pick<AlertRule, 'id' | 'severity' | 'labels' | 'mitre'>,
  writeTime: WriteTime,
): AlertFields {
  const { agent, event, host, launchbeat, process } = document;
  const actor = actorOf(document);
  return {
    time: writeTime(systemTimeMs(document['@timestamp']) ?? 0),
    user: actor.name ?? '',
    domain: actor.domain ?? '',
    user_id: actor.id ?? '',
    process: process.name ?? '',
    program: launchbeat.program ?? '',
    executable: process.executable ?? '',
    command_line: process.command_line ?? '',
    pid: process.pid === undefined ? '' : String(process.pid),
    parent: process.parent?.name ?? '',
    parent_executable: process.parent?.executable ?? '',
    host: host.name,
    agent: agent.name,
    agent_id: agent.id,
    flags: (launchbeat.flags ?? []).join(', '),
    rule: rule.id,
    event_id: event.id,
    severity: rule.severity,
    labels: rule.labels.join(', '),
    mitre: rule.mitre.join(', '),
    count: '',
    key: '',
    reason: '',
    link: '',
  };
}

/** Who started it: the agent's own finding, else the event's user. */
export function actorOf(document: ProcessStart): {
  readonly name?: string | undefined;
  readonly domain?: string | undefined;
  readonly id?: string | undefined;
} {
  const { actor } = document.launchbeat;
  return actor.name === undefined ? (document.user ?? actor) : actor;
}
