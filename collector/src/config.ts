/**
 * The collector's config: the slices of its stages put together into the schema of collector.yml.
 * Keeps: unknown keys are refused; every key stands in the shipped file with a comment (tests/config-files.test.ts).
 */
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  type Environment,
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
import { readLists } from './alerts-lists.ts';
import { type AlertsConfig, alertsConfigSchema } from './assess/alerts-config.ts';
import { readAddress } from './assess/chat-address.ts';
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
  /** Absolute paths of the files that its lists are from. */
  readonly alertsLists: readonly string[];
}

/** Loads collector.yml and the alerts.yml that it names. Throws ConfigError with every problem of the first file that has any. */
export function loadCollector(flags: GlobalFlags): LoadedCollector {
  const loaded = loadProgramConfig(COLLECTOR_HOME, flags);
  const alertsFile = resolveFile(loaded.paths.config, loaded.config.alerts.path);
  const bots = Object.keys(loaded.config.telegram.bots);
  const { environment } = loaded;
  return { ...loaded, ...loadAlerts({ file: alertsFile, bots, environment }), alertsFile };
}

/** Loads alerts.yml with the files that its lists are from; `bots` are the names that its chats may say. Throws ConfigError. */
export function loadAlerts(options: {
  readonly file: string;
  readonly bots: readonly string[];
  readonly environment: Environment;
}): Pick<LoadedCollector, 'alerts' | 'alertsLists'> {
  const { file, bots, environment } = options;
  let alertsLists: readonly string[] = [];
  const schema = alertsConfigSchema.transform((config, context) => {
    const listed = readLists(config, dirname(file));
    alertsLists = listed.files;
    for (const problem of [...listed.problems, ...unknownBots(config, bots)]) {
      context.addIssue({ code: 'custom', ...problem });
    }
    return listed.alerts;
  });
  const alerts = loadConfig({ file, schema, environment });
  return { alerts, alertsLists };
}

function unknownBots({ chats }: AlertsConfig, bots: readonly string[]) {
  const there = bots.join(', ') || 'none';
  return Object.entries(chats).flatMap(([name, { id }]) => {
    const { bot } = readAddress(id);
    if (bot === '' || bots.includes(bot)) return [];
    const message = `Bot "${bot}" is not under telegram.bots of collector.yml. Known: ${there}.`;
    return [{ path: ['chats', name, 'bot'], message }];
  });
}

/** Version of the collector, `major.minor.patch`. */
export function collectorVersion(): string {
  return programVersion(FOLDER);
}
