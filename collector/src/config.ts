/**
 * The collector's config: the slices of its stages put together into the schema of collector.yml.
 * Keeps: unknown keys are refused; every key stands in the shipped file with a comment (tests/config-files.test.ts).
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type GlobalFlags,
  type LoadedConfig,
  loadConfig,
  loadProgramConfig,
  loggingConfigSchema,
  type ProgramHome,
  pathConfigSchema,
  programVersion,
  resolveFile,
} from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { admitConfigSchema } from './admit/admit-config.ts';
import { type AlertsConfig, alertsConfigSchema } from './assess/alerts-config.ts';
import { postgresqlConfigSchema } from './commit/postgresql-config.ts';
import { fleetConfigSchema } from './fleet/fleet-config.ts';
import { httpConfigSchema } from './http-config.ts';
import { elasticsearchConfigSchema } from './index/elasticsearch-config.ts';
import { kibanaConfigSchema } from './kibana-config.ts';
import { telegramConfigSchema } from './notify/telegram-config.ts';

export const collectorConfigSchema = z.strictObject({
  http: httpConfigSchema,
  admit: admitConfigSchema,
  fleet: fleetConfigSchema,
  postgresql: postgresqlConfigSchema,
  elasticsearch: elasticsearchConfigSchema,
  telegram: telegramConfigSchema,
  kibana: kibanaConfigSchema,
  alerts: z
    .strictObject({
      /** File with the chats, the rules and the message template; relative to path.config. */
      path: z.string().default('alerts.yml'),
    })
    .prefault({}),
  setup: z
    .strictObject({
      /** `run` does what `setup` does before it starts. */
      enabled: z.boolean().default(true),
    })
    .prefault({}),
  path: pathConfigSchema,
  logging: loggingConfigSchema,
});

export type CollectorConfig = z.infer<typeof collectorConfigSchema>;

const FOLDER = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the collector is as a program. */
export const COLLECTOR_HOME: ProgramHome<typeof collectorConfigSchema> = {
  name: 'launchbeat-collector',
  folder: FOLDER,
  configFile: 'collector.yml',
  schema: collectorConfigSchema,
};

/** Both config files of the collector, validated. */
export interface LoadedCollector extends LoadedConfig<CollectorConfig> {
  readonly alerts: AlertsConfig;
  /** Absolute path of alerts.yml. */
  readonly alertsFile: string;
}

/** Loads collector.yml and the alerts.yml that it names. Throws ConfigError with every problem of the first file that has any. */
export function loadCollector(flags: GlobalFlags): LoadedCollector {
  const loaded = loadProgramConfig(COLLECTOR_HOME, flags);
  const alertsFile = resolveFile(loaded.paths.config, loaded.config.alerts.path);
  const alerts = loadConfig({
    file: alertsFile,
    schema: alertsConfigSchema,
    environment: loaded.environment,
  });
  return { ...loaded, alerts, alertsFile };
}

/** Version of the collector, `major.minor.patch`. */
export function collectorVersion(): string {
  return programVersion(FOLDER);
}
