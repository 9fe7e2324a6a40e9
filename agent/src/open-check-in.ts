/**
 * Takes config, folders and who the agent is, opens its check-ins: the loop, its facts, its own way to the collector.
 */
import { hostname, release, type } from 'node:os';
import { join } from 'node:path';
import type { HealthNote } from '@launchbeat/ecs-schemas';
import {
  type Log,
  type Metrics,
  openKeystore,
  type Paths,
  processEnvironment,
  SILENT_LOG,
} from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import type { LogStanding } from './capture/log-standing.ts';
import { createCounterNotes } from './checkin/counter-notes.ts';
import { createCheckIn } from './checkin/create-check-in.ts';
import { enrolSelf } from './checkin/enrol-self.ts';
import { openFactBox } from './checkin/fact-box.ts';
import { createKeyRotation } from './checkin/rotate-key.ts';
import { spoolStanding } from './checkin/spool-standing.ts';
import { AGENT_HOME, type AgentConfig } from './config.ts';
import { logReport } from './log-report.ts';
import { machineDigest } from './machine.ts';
import { readStateFile, writeStateFile } from './spool/state-file.ts';
import type { AgentKey } from './upload/agent-key.ts';
import { failoverExchange } from './upload/failover-exchange.ts';
import { openHttpExchange } from './upload/http-exchange.ts';
import type { OutputConfig } from './upload/output-config.ts';

export interface OpenCheckInOptions {
  readonly config: AgentConfig;
  readonly output: OutputConfig;
  /** Shared with upload: what is rotated here is used there. */
  readonly key: AgentKey;
  /** The key that the next start would have; absent: that of `output`. */
  readonly configuredKey?: (() => string) | undefined;
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
  /** Resolves when this agent has a key, or with the signal: one without asks for it with the token of the config. */
  keyed(signal: AbortSignal): Promise<void>;
  /** Where the computer has another name than at the last start: says so before anything is sent under it. Never rejects. */
  announce(signal: AbortSignal): Promise<void>;
  /** Checks in until the signal. Never rejects. */
  run(signal: AbortSignal): Promise<void>;
  /** One more, before a run ends by itself. */
  last(): Promise<void>;
  metrics(): Metrics;
  /** What was not told is on disk then. */
  close(): Promise<void>;
}

const HOST_FILE = 'host.json';
const hostSchema = z.object({ name: z.string() });
const COUNTERS_MAX = 200;
const COUNTER_NAME_MAX = 100;
/** Events wait no longer than this for the collector to hear of the computer's new name. */
const ANNOUNCE_MS_MAX = 10_000;
/** The end of a run waits no longer for its last check-in. */
const LAST_MS_MAX = 3000;

/** Opens it; nothing is sent before run(). Throws when a file of the config cannot be read. */
export function openCheckIn(options: OpenCheckInOptions): AgentCheckIn {
  const { config, output, paths, agent, key, log } = options;
  const collectors = output.url.map((url) => ({
    url,
    http: openHttpExchange(url, output, Date.now, key),
  }));
  // Upload says already which collector is out.
  const http = failoverExchange(collectors, SILENT_LOG);
  const box = openFactBox(paths.data, log);
  const counterNotes = createCounterNotes();
  const startedAt = new Date().toISOString();
  const machine = machineDigest();

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
      host: { name: hostname(), os: `${type()} ${release()} ${process.arch}`, machine },
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
  const keystore = openKeystore(paths.data, AGENT_HOME.name);
  const rotation = createKeyRotation({
    ...{ agentId: agent.id, key, http, note: box.note, keystore, log },
    ...{
      environment: processEnvironment(),
      configured: options.configuredKey ?? (() => output.api_key),
    },
  });
  const loop = createCheckIn({ config: config.check_in, http, box, sample, rotation, log });

  return {
    note: box.note,
    keyed: (signal) =>
      enrolSelf(
        {
          ...{ token: output.enrollment_token, backoff: output.backoff, key, keystore, http, log },
          applicant: {
            ...{ agentId: agent.id, name: config.name, version: agent.version },
            machine,
          },
        },
        signal,
      ),
    async announce(signal) {
      const name = hostname();
      const before = readStateFile(join(paths.data, HOST_FILE), hostSchema, log)?.name;
      if (before === name) return;
      if (before !== undefined) {
        log.info({ 'host.name': name }, `Computer was ${before}; the collector is told first.`);
        await loop.last(AbortSignal.any([signal, AbortSignal.timeout(ANNOUNCE_MS_MAX)]));
        if (loop.metrics()['check_in.answered'] === 0) return;
      }
      try {
        writeStateFile(join(paths.data, HOST_FILE), { name });
      } catch (err) {
        log.debug({ err }, 'Name of the computer could not be written down.');
      }
    },
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
