/**
 * `launchbeat run`: config, log, recovery, then the pipeline until the source ends or a signal comes.
 * Keeps: file sources end when the last event has its receipt; the live log ends on a signal, when its starter says so, or for its
 * memory (exit code 75).
 */
import {
  createLog,
  type GlobalFlags,
  loadProgramConfig,
  startMetricsLog,
  stopSignal,
} from '@launchbeat/ecs-schemas/beat';
import { AGENT_HOME, agentVersion } from '../config.ts';
import { lockFolder } from '../lock-folder.ts';
import { createPipeline } from '../pipeline.ts';
import { startStatsEndpoint } from '../stats/stats-endpoint.ts';
import { EXIT_MEMORY, watchMemory } from '../watch-memory.ts';

export interface RunOptions {
  /** End when standard input does. So the Windows service asks: a process without a console gets no signal there. */
  readonly stopOnStdinEnd?: boolean;
}

/** A signal that is aborted when standard input ends, or breaks with the process at its other end. */
function stdinEnd(): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => controller.abort();
  process.stdin.once('end', abort).once('close', abort).once('error', abort).resume();
  return controller.signal;
}

/** Runs the agent; resolves when it ended in good order. */
export async function run(flags: GlobalFlags, options: RunOptions = {}): Promise<void> {
  const { config, paths, file } = loadProgramConfig(AGENT_HOME, flags);
  const version = agentVersion();
  const excess = new AbortController();
  const asked = options.stopOnStdinEnd ? [stopSignal(), stdinEnd()] : [stopSignal()];
  const signal = AbortSignal.any([...asked, excess.signal]);
  const logging = await createLog({
    config: config.logging,
    name: 'launchbeat',
    folder: paths.logs,
    stderr: flags.logToStderr,
    version,
  });
  const { log } = logging;
  const unlock = await lockFolder(paths.data);
  try {
    log.info({ 'file.path': file }, `launchbeat ${version} starts.`);
    const pipeline = await createPipeline({
      ...{ config, paths, version, log },
      configuredKey: () => loadProgramConfig(AGENT_HOME, flags).config.output.collector.api_key,
    });
    const endMetrics = startMetricsLog(config.logging, log, () => pipeline.metrics());
    const statistics = await startStatsEndpoint({
      config: config.http,
      source: config.capture.source,
      read: () => pipeline.stats(),
      log,
    });
    const endWatch = watchMemory({
      ...{ bytesMax: config.max_memory, log },
      onExceeded(reason) {
        pipeline.note({ kind: 'memory', level: 'warn', reason });
        process.exitCode = EXIT_MEMORY;
        excess.abort();
      },
    });
    try {
      await pipeline.run(signal);
    } finally {
      endWatch();
      endMetrics();
      await statistics.close();
      await pipeline.close();
    }
    log.info({}, 'launchbeat ends.');
  } catch (error) {
    log.error({ err: error }, 'launchbeat ends with an error.');
    throw error;
  } finally {
    unlock();
    await logging.close();
  }
}
