/**
 * Takes `capture:` of the config, gives the source that it names.
 * Keeps: a file that is not there or a pattern that finds nothing is said before anything is read.
 */
import { existsSync, globSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { type Log, type Paths, processEnvironment } from '@launchbeat/ecs-schemas/beat';
import { createBridgeFileSource } from './bridge-file-source.ts';
import { canaryCommand } from './canary.ts';
import { type CaptureConfig, isLiveSource } from './capture-config.ts';
import type { Source } from './captured-event.ts';
import { createEvtxSource } from './evtx-source.ts';
import { createForwardedSource } from './forwarded-source.ts';
import { createLiveSource, type LiveOptions } from './live-source.ts';
import { createReplaySource } from './replay-source.ts';

export interface SourceContext {
  readonly log: Log;
  /** What `-` reads. */
  readonly stdin: Readable;
  readonly paths: Paths;
}

/** The bridge in Windows' own PowerShell, by its full path: a search would run what lies first in PATH. */
export function defaultCommand(paths: Paths): string[] {
  const windows = processEnvironment()['SystemRoot'] ?? 'C:\\Windows';
  return [
    `${windows}\\System32\\WindowsPowerShell\\v1.0\\powershell.exe`,
    '-NoLogo',
    '-NoProfile',
    '-NonInteractive',
    '-ExecutionPolicy',
    'Bypass',
    '-File',
    join(paths.home, 'windows', 'bridge.ps1'),
  ];
}

/** The files that names and patterns stand for, each once, in the order given and, within a pattern, of their names. */
function filesOf(patterns: readonly string[]): string[] {
  const files = patterns.flatMap((pattern) => {
    if (pattern === '-' || existsSync(pattern)) return [pattern];
    const found = globSync(pattern).sort();
    if (found.length === 0)
      throw new Error(
        `capture.files: "${pattern}" finds no file. Name one that is there, or a pattern that finds some.`,
      );
    return found;
  });
  return [...new Set(files)];
}

function liveOptions(config: CaptureConfig, context: SourceContext): LiveOptions {
  const command = config.command.length === 0 ? defaultCommand(context.paths) : config.command;
  const canary = canaryCommand(config.canary.command);
  if (isLiveSource(config.source))
    context.log.debug({ 'process.args': command }, 'Reading a live log through a bridge.');
  return {
    command,
    pollMs: config.poll_interval,
    batchSize: config.batch_size,
    heartbeatTimeoutMs: config.heartbeat_timeout,
    backoffInitMs: config.restart.backoff.init,
    backoffMaxMs: config.restart.backoff.max,
    start: config.start,
    recountMs: config.recount_interval,
    readerBytesMax: config.max_memory,
    canary:
      canary === undefined || config.canary.interval === 0
        ? undefined
        : { command: canary, intervalMs: config.canary.interval },
    processPollMs: config.process_poll.enabled ? config.process_poll.interval : undefined,
  };
}

/** Opens the source. Throws where files are named that do not exist. */
export function openSource(config: CaptureConfig, context: SourceContext): Source {
  const settings = { batchSize: config.batch_size, rate: config.rate };
  const live = liveOptions(config, context);
  if (config.source === 'security-log') return createLiveSource(live);
  if (config.source === 'forwarded-events') return createForwardedSource(live);
  const files = filesOf(config.files);
  context.log.debug({ 'log.file.path': files }, `Reading ${files.length} files.`);
  if (config.source === 'replay')
    return createReplaySource({ ...settings, files, stdin: context.stdin });
  if (config.evtx_reader === 'own') return createEvtxSource({ ...settings, files });
  const { command, heartbeatTimeoutMs } = live;
  return createBridgeFileSource({ ...settings, files, command, heartbeatTimeoutMs });
}
