/**
 * Takes what is known of an agent, gives its state and why. Pure: no clock but the one passed in.
 * Keeps: the one place that says what healthy, degraded, offline and revoked mean.
 */
import type { CheckIn, FactLevel } from '@launchbeat/ecs-schemas';

export const AGENT_STATES = ['healthy', 'degraded', 'offline', 'revoked'] as const;
export type AgentState = (typeof AGENT_STATES)[number];

export interface AgentStanding {
  readonly revoked: boolean;
  /** Last check-in, Unix milliseconds; absent = none yet. */
  readonly lastSeenMs?: number | undefined;
  /** Why it is degraded, as of its last check-in. */
  readonly reasons: readonly string[];
}

/** An agent that did not check in for `offlineAfterMs` is offline, whatever it said before. */
export function agentState(
  standing: AgentStanding,
  nowMs: number,
  offlineAfterMs: number,
): AgentState {
  if (standing.revoked) return 'revoked';
  const { lastSeenMs } = standing;
  if (lastSeenMs === undefined || nowMs - lastSeenMs > offlineAfterMs) return 'offline';
  return standing.reasons.length > 0 ? 'degraded' : 'healthy';
}

/** Health facts of one kind and level within RECENT_FACTS_MS. */
export interface RecentFacts {
  readonly kind: string;
  readonly level: FactLevel;
  readonly count: number;
}

export interface Condition {
  readonly checkIn: Pick<CheckIn, 'spool' | 'lag_ms' | 'auditing' | 'log'>;
  /** The agent's clock against ours; positive = ahead. */
  readonly clockSkewMs: number;
  readonly facts: readonly RecentFacts[];
}

/** A loss makes an agent degraded for so long. */
export const RECENT_FACTS_MS = 24 * 3_600_000;
/** Kerberos itself takes five minutes; events are only put in a wrong order by less. */
export const CLOCK_SKEW_MS_MAX = 60_000;
const LAG_MS_MAX = 15 * 60_000;
const SPOOL_SHARE_MAX = 0.8;
const RESTARTS_MAX = 10;

/** Why it does not see every start, or not whole. */
function blindReasons({ auditing, log }: Condition['checkIn']): string[] {
  const reasons: string[] = [];
  if (auditing.process_creation === false) reasons.push('auditing of process creation is off');
  if (auditing.command_line === false) reasons.push('command lines are not audited');
  if (log?.readable === false) reasons.push('Security log cannot be read');
  if (log?.polling === true) reasons.push('process-poll stands in: short-lived starts are missed');
  if (log?.full === true && log.mode === 'keep') reasons.push('Security log is full');
  return reasons;
}

/** Why an agent is degraded; empty = healthy. One short sentence each, without a full stop. */
export function degradedReasons({ checkIn, clockSkewMs, facts }: Condition): string[] {
  const { spool, lag_ms: lagMs } = checkIn;
  const reasons = blindReasons(checkIn);
  for (const { kind, level, count } of facts) {
    if (level === 'error') reasons.push(`${kind} in the last 24 h: ${count}`);
    else if (kind === 'restart' && count > RESTARTS_MAX) {
      reasons.push(`reader restarted ${count} times in the last 24 h`);
    }
  }
  if (spool.bytes_max > 0 && spool.pending_bytes > SPOOL_SHARE_MAX * spool.bytes_max) {
    const percent = Math.round((100 * spool.pending_bytes) / spool.bytes_max);
    reasons.push(`spool is ${percent} % full of events without a receipt`);
  }
  if (lagMs > LAG_MS_MAX)
    reasons.push(`oldest event waits for ${Math.round(lagMs / 60_000)} minutes`);
  if (Math.abs(clockSkewMs) > CLOCK_SKEW_MS_MAX) {
    const seconds = Math.round(Math.abs(clockSkewMs) / 1000);
    reasons.push(`clock is ${seconds} s ${clockSkewMs > 0 ? 'ahead' : 'behind'}`);
  }
  return reasons;
}
