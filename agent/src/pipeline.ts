/**
 * The agent's pipeline, top to bottom: capture → map → spool → upload.
 * Keeps: the source goes on only when its batch is durable in the spool, and the position moves after that; events in
 * files are finished when the collector has acknowledged the last of them.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { HealthNote } from '@launchbeat/ecs-schemas';
import { type Log, type Metrics, type Paths, resolveFile } from '@launchbeat/ecs-schemas/beat';
import { openSource } from './capture/open-source.ts';
import type { AgentConfig } from './config.ts';
import { keepLogState } from './log-state-file.ts';
import { createMapper } from './map/create-mapper.ts';
import { openCheckIn } from './open-check-in.ts';
import { createReading } from './reading.ts';
import { agentIdentity } from './spool/agent-identity.ts';
import { openSpool } from './spool/open-spool.ts';
import { openPosition } from './spool/position.ts';
import { recoverSpool } from './spool/recover-spool.ts';
import { redactionKey } from './spool/redaction-key.ts';
import type { StatsInput } from './stats/agent-stats.ts';
import { type AgentKey, createAgentKey } from './upload/agent-key.ts';
import { createUploader, type Uploader } from './upload/create-uploader.ts';
import type { OutputConfig } from './upload/output-config.ts';

export interface PipelineOptions {
  readonly config: AgentConfig;
  readonly paths: Paths;
  readonly version: string;
  /** The key of the collector as the config has it now; default: as it was read. */
  readonly configuredKey?: () => string;
  readonly log: Log;
}

export interface Pipeline {
  /** Runs until a file source ends and all is shipped, or until the signal. */
  run(signal: AbortSignal): Promise<void>;
  /** Tells the collector something of this agent, at the next check-in or after the next start. */
  note(note: HealthNote): void;
  /** What every stage counted since the start. */
  metrics(): Metrics;
  /** Who this agent is and what it counted, for the statistics endpoint. */
  stats(): StatsInput;
  close(): Promise<void>;
}

/** Opens every stage. Nothing is read before run(). */
export async function createPipeline(options: PipelineOptions): Promise<Pipeline> {
  const { config, paths, version, log } = options;
  const identity = agentIdentity(paths.data, log);
  const agent = { id: identity.id, name: config.name, version, ephemeralId: crypto.randomUUID() };

  const source = openSource(config.capture, { log, stdin: process.stdin, paths });
  const mapper = createMapper({
    config,
    agent,
    namespace: config.namespace,
    redactionKey: redactionKey(paths.data, log),
    ignoreOlderMs: config.capture.ignore_older,
  });
  const folder = spoolFolder(config, paths);
  const recovered = recoverSpool(folder, log);
  const spool = await openSpool({
    folder,
    config: config.spool,
    log,
    recovered,
    stateFolder: paths.data,
  });
  const position = openPosition(paths.data, log);
  const key = createAgentKey(config.output.collector.api_key);
  const uploader = await openUploader(options, identity.id, key);
  spool.onAppend(() => uploader.wake());
  const checkIn = openCheckIn({
    ...{ config, output: collectorOutput(config, paths), paths, spoolFolder: folder, agent, log },
    ...{ key, configuredKey: options.configuredKey },
    counters: () => metrics(),
    logStanding: source.standing,
  });
  const reading = createReading({ mapper, spool, position, log, note: checkIn.note });

  const metrics = (): Metrics => ({
    ...reading.metrics(),
    ...spool.metrics(),
    ...uploader.metrics(),
    ...checkIn.metrics(),
  });

  return {
    async run(signal) {
      const read = new AbortController();
      const failed = new AbortController();
      const stop = AbortSignal.any([signal, failed.signal]);
      const ended = AbortSignal.any([signal, read.signal]);
      const known = checkIn.keyed(ended).then(async () => checkIn.announce(ended));
      const uploading = known.then(async () => uploader.run(ended));
      const checkingIn = known.then(async () => checkIn.run(ended));
      const endLogState = keepLogState(paths.data, source.standing, log);
      // An uploader that cannot go on (its state cannot be written) ends the reading too.
      uploading.catch(() => failed.abort());
      try {
        for await (const batch of source.batches(position.read(recovered, source.name), stop)) {
          await reading.keep(batch, stop);
        }
        if (!stop.aborted) await uploader.drained(stop);
        if (!stop.aborted) await checkIn.last();
      } catch (error) {
        // Being asked to end is no failure: what is not acknowledged stays on disk.
        if (!stop.aborted) throw error;
      } finally {
        read.abort();
        endLogState();
        await checkingIn;
        await uploading;
      }
    },
    note: checkIn.note,
    metrics,
    stats: () => ({
      info: {
        beat: 'launchbeat',
        hostname: hostname(),
        name: config.name,
        uuid: agent.id,
        version,
        ephemeral_id: agent.ephemeralId,
      },
      metrics: metrics(),
      lastAnswer: uploader.counts().lastAnswer,
    }),
    async close() {
      await checkIn.close();
      await uploader.close();
      await spool.close();
    },
  };
}

/** Opens the way to the collector alone; `test output` uses it too. */
export async function openUploader(
  options: Pick<PipelineOptions, 'config' | 'paths' | 'log'>,
  agentId: string,
  key?: AgentKey,
): Promise<Uploader> {
  const { config, paths, log } = options;
  return createUploader({
    spoolFolder: spoolFolder(config, paths),
    stateFolder: paths.data,
    config: collectorOutput(config, paths),
    agentId,
    log,
    ...(key === undefined ? {} : { key }),
  });
}

/** Folder of the spool: the one of the config, or `spool` of the data folder. */
export function spoolFolder(config: Pick<AgentConfig, 'spool'>, paths: Paths): string {
  return config.spool.path ?? join(paths.data, 'spool');
}

/** `output.collector` with its files made absolute: a relative one lies in the working folder or in path.config. */
export function collectorOutput(config: Pick<AgentConfig, 'output'>, paths: Paths): OutputConfig {
  const { collector } = config.output;
  const { certificate_authorities, certificate, key } = collector.ssl;
  const at = (file: string): string => resolveFile(paths.config, file);
  return {
    ...collector,
    ssl: {
      ...collector.ssl,
      certificate_authorities: certificate_authorities.map(at),
      ...(certificate === undefined ? {} : { certificate: at(certificate) }),
      ...(key === undefined ? {} : { key: at(key) }),
    },
  };
}
