/** The door of what makes both programs Beats in manners: config, log, command line. */
export { type Backoff, backoffCeilingMs, backoffMs } from './back-off.ts';
export * from './command-line.ts';
export { ConfigError, type ConfigProblem, EXIT_CONFIG } from './config-problem.ts';
export * from './config-values.ts';
export { type Environment, processEnvironment } from './environment.ts';
export { type Keystore, openKeystore, unfitEntry } from './keystore.ts';
export { addKeystoreCommands } from './keystore-commands.ts';
export { loadConfig } from './load-config.ts';
export * from './log.ts';
export { createLog, type LogOptions, type OpenLog } from './logging.ts';
export { type LoggingConfig, loggingConfigSchema } from './logging-config.ts';
export { matchesPattern } from './matches-pattern.ts';
export { countsAsMetrics, type Metrics, startMetricsLog } from './metrics-log.ts';
export {
  documentPrinter,
  type NdjsonFile,
  type NdjsonFileOptions,
  openNdjsonFile,
} from './ndjson-file.ts';
export * from './paths.ts';
export { pause } from './pause.ts';
export {
  exportConfig,
  type LoadedConfig,
  loadProgramConfig,
  type ProgramHome,
  programKeystore,
  programVersion,
} from './program-config.ts';
export { readSecret } from './read-secret.ts';
export { replaceFile } from './replace-file.ts';
export { stopSignal } from './stop-signal.ts';
export { syncFolder } from './sync-folder.ts';
