/**
 * Takes config, folders and who the agent is, opens its check-ins: the loop, its facts, its own way to the collector.
 */
import { hostname, release, type } from 'node:os';
import type { HealthNote } from '@launchbeat/ecs-schemas';
import { type Log, type Metrics, type Paths, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import type { LogStanding } from './capture/log-standing.ts';
import { createCounterNotes } from './checkin/counter-notes.ts';
import { createCheckIn } from './checkin/create-check-in.ts';
import { openFactBox } from './checkin/fact-box.ts';
import { spoolStanding } from './checkin/spool-standing.ts';
import type { AgentConfig } from './config.ts';
import { logReport } from './log-report.ts';
import { failoverExchange } from './upload/failover-exchange.ts';
import { openHttpExchange } from './upload/http-exchange.ts';
import type { OutputConfig } from './upload/output-config.ts';

export interface OpenCheckInOptions {
  readonly config: AgentConfig;
  readonly output: OutputConfig;
  readonly paths: Paths;
  readonly spoolFolder: string;
  readonly agent: { readonly id: string; readonly ephemeralId: string; readonly version: string };
  /** What every stage counted. */
  readonly counters: () => Metrics;
  /** How the live log stands; absent for files. */
  readonly logStanding?: (() => LogStanding) | undefined;
  readonly log: Log;
}

export interface AgentCheckIn {
  note(note: HealthNote): void;
  /** Checks in until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** One more, before a run ends by itself. */
  last(): Promise<void>;
  metrics(): Metrics;
  /** What was not told is on disk then. */
  close(): Promise<void>;
}

const COUNTERS_MAX = 200;
const COUNTER_NAME_MAX = 100;
/** The end of a run waits no longer for its last check-in. */
const LAST_MS_MAX = 3000;

/** Opens it; nothing is sent before run(). Throws when a file of the config cannot be read. */
export function openCheckIn(options: OpenCheckInOptions): AgentCheckIn {
  const { config, output, paths, agent, log } = options;
  const collectors = output.url.map((url) => ({
    url,
    http: openHttpExchange(url, output, Date.now),
  }));
  // Upload says already which collector is out.
  const http = failoverExchange(collectors, SILENT_LOG);
  const box = openFactBox(paths.data, log);
  const counterNotes = createCounterNotes();
  const startedAt = new Date().toISOString();

  const noteCounters = (metrics: Metrics): void => {
    for (const note of counterNotes(metrics)) box.note(note);
  };
  const sample = (): object => {
    const metrics = options.counters();
    noteCounters(metrics);
    const standing = spoolStanding(options.spoolFolder, paths.data, Date.now());
    const counters = Object.entries(metrics).filter(([name]) => name.length <= COUNTER_NAME_MAX);
    return {
      ...{ agent_id: agent.id, ephemeral_id: agent.ephemeralId, started_at: startedAt },
      ...{ name: config.name, namespace: config.namespace, version: agent.version },
      host: { name: hostname(), os: `${type()} ${release()} ${process.arch}` },
      source: config.capture.source,
      spool: {
        pending_bytes: standing.pendingBytes,
        bytes: standing.bytes,
        segments: standing.segments,
        bytes_max: config.spool.max_bytes,
      },
      lag_ms: standing.lagMs,
      ...(options.logStanding === undefined
        ? {}
        : logReport(options.logStanding(), standing.lagMs)),
      counters: Object.fromEntries(counters.slice(0, COUNTERS_MAX)),
    };
  };
  const loop = createCheckIn({ config: config.check_in, http, box, sample, log });

  return {
    note: box.note,
    run: loop.run,
    last: () => loop.last(AbortSignal.timeout(LAST_MS_MAX)),
    metrics: loop.metrics,
    async close() {
      noteCounters(options.counters());
      box.store();
      await http.close();
    },
  };
}
