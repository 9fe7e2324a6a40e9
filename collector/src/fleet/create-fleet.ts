/**
 * fleet: who the agents are and how they do. Takes enrolments and check-ins, gives keys and answers; counts agents by state.
 * Keeps: what an agent lost is an ERROR of this log with agent and range, once; nothing here is needed for a chunk to be taken.
 */
import { type CheckIn, type EnrollRequest, FACT_KINDS } from '@launchbeat/ecs-schemas';
import { type Log, pause } from '@launchbeat/ecs-schemas/beat';
import type { Sql } from 'postgres';
import { countAgents } from './agent-list.ts';
import { AGENT_STATES, type AgentState } from './agent-state.ts';
import { type CheckedIn, storeCheckIn } from './check-in.ts';
import { type Credentials, type EnrollOutcome, enroll } from './enroll.ts';
import type { NewFact } from './facts.ts';
import type { FleetConfig } from './fleet-config.ts';
import type { Key } from './keys.ts';
import { type RotateOutcome, rotateKey } from './rotate-key.ts';
import { createSecurityFacts, type SecurityFact } from './security-facts.ts';

export interface FleetOptions {
  readonly sql: Sql;
  readonly config: FleetConfig;
  readonly log: Log;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
}

export interface FleetCounts {
  readonly checkIns: number;
  readonly enrolments: number;
  /** Keys given in the place of others. */
  readonly rotations: number;
  /** New facts by kind; kinds that this program does not know are `other`. */
  readonly facts: Readonly<Record<string, number>>;
  /** Agents by state, as of some seconds ago. */
  readonly agents: Readonly<Record<AgentState, number>>;
}

export interface Fleet {
  /** Rejects when PostgreSQL cannot be asked. */
  enroll(token: Credentials, request: EnrollRequest): Promise<EnrollOutcome>;
  /** Rejects when PostgreSQL cannot be asked. */
  checkIn(checkIn: CheckIn, key: Key): Promise<CheckedIn>;
  /** A new key for the agent of this one, where it was asked for. Rejects when PostgreSQL cannot be asked. */
  rotate(key: Key): Promise<RotateOutcome>;
  /** Notes that a key was used for what is not its own. Never throws, never waits. */
  noteSecurity(fact: SecurityFact): void;
  /** Counts the agents now. */
  look(): Promise<void>;
  counts(): FleetCounts;
  /** Looks and drops what is old until the signal. */
  run(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 15_000;
const SWEEP_MS = 3_600_000;
const KINDS: ReadonlySet<string> = new Set(FACT_KINDS);

/** Makes the stage. */
export function createFleet(options: FleetOptions): Fleet {
  const { sql, config, log, now = Date.now } = options;
  const facts = new Map<string, number>();
  let [checkIns, enrolments, rotations] = [0, 0, 0];
  let agents = Object.fromEntries(AGENT_STATES.map((state) => [state, 0])) as Record<
    AgentState,
    number
  >;

  const tell = (agentId: string, name: string, { fact }: NewFact): void => {
    const kind = KINDS.has(fact.kind) ? fact.kind : 'other';
    facts.set(kind, (facts.get(kind) ?? 0) + 1);
    if (fact.level !== 'error') return;
    const range =
      fact.from === undefined
        ? {}
        : { 'launchbeat.fact.from': fact.from, 'launchbeat.fact.to': fact.to };
    log.error(
      { 'agent.id': agentId, 'launchbeat.fact.kind': fact.kind, ...range },
      `Agent ${name} reports ${fact.kind}: ${fact.reason}`,
    );
  };

  const look = async (): Promise<void> => {
    agents = { ...(await countAgents(sql, config.offline_after, now())) };
  };

  return {
    async enroll(token, request) {
      const outcome = await enroll(sql, token, request, now());
      if (outcome.outcome === 'done') {
        enrolments += 1;
        log.info(
          { 'agent.id': request.agent_id, 'host.name': request.host.name },
          `Agent enrolled with token ${token.id}.`,
        );
      }
      return outcome;
    },
    async checkIn(checkIn, key) {
      const done = await storeCheckIn(
        { sql, now, offlineAfterMs: config.offline_after },
        checkIn,
        key,
      );
      checkIns += 1;
      for (const fact of done.facts) tell(checkIn.agent_id, checkIn.host.name, fact);
      return done;
    },
    async rotate(key) {
      const outcome = await rotateKey(sql, key);
      if (outcome.outcome === 'done') rotations += 1;
      return outcome;
    },
    noteSecurity: createSecurityFacts({
      ...{ sql, log, now },
      onFact: (agentId, fact) => tell(agentId, agentId, fact),
    }),
    look,
    counts: () => ({
      ...{ checkIns, enrolments, rotations, agents },
      facts: Object.fromEntries(facts),
    }),
    async run(signal) {
      let sweptAtMs = Number.NEGATIVE_INFINITY;
      while (!signal.aborted) {
        try {
          await look();
          if (performance.now() - sweptAtMs > SWEEP_MS) {
            await sweep(sql, config.facts.retention, now());
            sweptAtMs = performance.now();
          }
        } catch (err) {
          log.debug({ err }, 'Fleet could not be counted; it is tried again.');
        }
        await pause(LOOK_MS, signal, { ref: false });
      }
    },
  };
}

/** Drops facts and audit lines that are older than the retention; 0 keeps them. */
async function sweep(sql: Sql, retentionMs: number, nowMs: number): Promise<void> {
  if (retentionMs === 0) return;
  const before = new Date(nowMs - retentionMs);
  await sql`delete from agent_facts where received_at < ${before}`;
  await sql`delete from audit_log where at < ${before}`;
}
