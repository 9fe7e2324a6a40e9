/**
 * Takes what happened to an alert, gives the document. Pure: the same gives the same, its id too.
 */
import { ALERTS_DATASET, type AlertRecord } from './alert-record.ts';
import { timedId } from './event-id.ts';
import { DATA_STREAM_TYPE, ECS_VERSION } from './process-start.ts';

export interface AlertParts {
  readonly namespace: string;
  /** `raised`, a fate, or `acknowledged`. */
  readonly action: string;
  /** When this happened, when the alert was raised, and when the process started. */
  readonly at: Date;
  readonly raisedAt: Date;
  readonly startedAt: Date;
  /** `event.id` of the process start. */
  readonly eventId: string;
  readonly rule: AlertRecord['rule'];
  readonly chat: AlertRecord['launchbeat']['alert']['chat'];
  /** low, medium, high or critical. */
  readonly severity: string;
  readonly agent: { readonly id: string; readonly name: string };
  readonly host: string;
  readonly actor: AlertRecord['user'];
  readonly process: AlertRecord['process'];
  readonly program?: string | undefined;
  readonly flags?: readonly string[];
  /** Techniques and tactics of MITRE ATT&CK. */
  readonly mitre?: readonly string[];
  /** Why the chat refused it. */
  readonly reason?: string | null | undefined;
  /** What else is known of it. */
  readonly more?: Partial<AlertRecord['launchbeat']['alert']>;
}

/** Elastic's default risk scores (Elastic Security, "Create a detection rule"). */
const SCORES: Readonly<Record<string, number>> = { low: 21, medium: 47, high: 73, critical: 99 };

/** The document. */
export function writeAlertRecord(parts: AlertParts): AlertRecord {
  const { action, at, raisedAt, startedAt, actor, host, chat, rule, severity, flags = [] } = parts;
  const outcome = action === 'sent' ? 'success' : action === 'failed' ? 'failure' : undefined;
  return {
    '@timestamp': at.toISOString(),
    'ecs.version': ECS_VERSION,
    message: `${rule.id}: ${actor.name ?? '?'} started ${parts.process.name ?? '?'} on ${host}; ${action} for ${chat.name}`,
    agent: { ...parts.agent, type: 'launchbeat' },
    data_stream: {
      type: DATA_STREAM_TYPE,
      dataset: ALERTS_DATASET,
      namespace: parts.namespace,
    },
    event: {
      // Of the time when it was raised, whatever happens to it later.
      id: timedId(raisedAt.getTime(), ['alert', parts.eventId, rule.id, chat.id, action]),
      kind: action === 'raised' ? 'alert' : 'event',
      module: 'launchbeat',
      dataset: ALERTS_DATASET,
      action: `alert-${action}`,
      category: ['process'],
      type: ['info'],
      ...(outcome === undefined ? {} : { outcome }),
      start: startedAt.toISOString(),
      created: raisedAt.toISOString(),
      severity: SCORES[severity] ?? 0,
      ...(parts.reason ? { reason: parts.reason } : {}),
    },
    host: { name: host, os: { type: 'windows' } },
    process: parts.process,
    related: { hosts: [host], ...(actor.name ? { user: [actor.name] } : {}) },
    rule,
    ...threatOf(parts.mitre ?? []),
    user: actor,
    launchbeat: {
      alert: {
        ...parts.more,
        ...{ fate: action, severity, chat, event_id: parts.eventId },
        after_ms: at.getTime() - startedAt.getTime(),
      },
      actor,
      ...(parts.program ? { program: parts.program } : {}),
      ...(flags.length === 0 ? {} : { flags: [...flags] }),
    },
  };
}

/** `T1059.001`, `TA0002` as ECS divides them: tactics, techniques, sub-techniques. */
function threatOf(ids: readonly string[]): Pick<AlertRecord, 'threat'> {
  if (ids.length === 0) return {};
  const tactics = ids.filter((id) => id.startsWith('TA'));
  const techniques = ids.filter((id) => !id.startsWith('TA'));
  const subs = techniques.filter((id) => id.includes('.'));
  const whole = [...new Set(techniques.map((id) => id.split('.')[0] ?? id))];
  const subtechnique = subs.length === 0 ? {} : { subtechnique: { id: subs } };
  return {
    threat: {
      framework: 'MITRE ATT&CK',
      ...(tactics.length === 0 ? {} : { tactic: { id: tactics } }),
      ...(whole.length === 0 ? {} : { technique: { id: whole, ...subtechnique } }),
    },
  };
}
