/**
 * The KQL of health and alerts that several panels and searches share, each under the name of what it finds.
 */

/** The state of one agent at one moment. */
export const AGENT_STATES = 'launchbeat.health.record : "agent"';
export const FACTS = 'launchbeat.health.record : "fact"';
export const SERVER = 'launchbeat.health.record : "server"';

export const inState = (state: string): string =>
  `${AGENT_STATES} and launchbeat.health.state : "${state}"`;

/** Something is lost, or a person must act. */
export const LOSSES = `${FACTS} and launchbeat.health.fact.level : "error"`;

/** Events that nobody will ever see: records that are gone, a log that somebody cleared. A word of a kind to come is enough. */
export const GAPS = `${FACTS} and launchbeat.health.fact.kind : (gap or log_recreated or *clear* or spool_lost or *dropped or log_full)`;

/** Somebody sends what is not theirs, or runs an agent twice. */
export const MISUSE = `${FACTS} and launchbeat.health.fact.kind : (cloned or moved or conflict or foreign* or *tamper*)`;

export const AUDITING_OFF = `${AGENT_STATES} and (launchbeat.health.auditing.process_creation : false or launchbeat.health.auditing.command_line : false)`;

/** Each alert once. */
export const RAISED = 'launchbeat.alert.fate : "raised"';

export const fate = (name: string): string => `launchbeat.alert.fate : "${name}"`;

/** What became of an alert. */
export const FATES = 'not launchbeat.alert.fate : (raised or acknowledged)';

/** Not sent by itself, but counted in another message. */
export const COUNTED = 'launchbeat.alert.fate : (suppressed or folded or held or stormed or muted)';
