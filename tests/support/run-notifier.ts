/**
 * A program that sends what waits in the outbox, as a collector does, until it is killed. Argument: JSON of RunNotifier.
 */
import { SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { alertsConfigSchema } from '../../collector/src/assess/alerts-config.ts';
import { openDatabase } from '../../collector/src/commit/database.ts';
import { createNotifier } from '../../collector/src/notify/create-notifier.ts';
import { telegramConfigSchema } from '../../collector/src/notify/telegram-config.ts';

export interface RunNotifier {
  readonly databaseUrl: string;
  /** Section `telegram` as it stands in the file. */
  readonly telegram: Readonly<Record<string, unknown>>;
  /** The whole of alerts.yml. */
  readonly alerts: Readonly<Record<string, unknown>>;
}

const { databaseUrl, telegram, alerts } = JSON.parse(process.argv[2] ?? '{}') as RunNotifier;
const notifier = createNotifier({
  sql: openDatabase({ url: databaseUrl, connections_max: 4 }),
  config: telegramConfigSchema.parse(telegram),
  alerts: alertsConfigSchema.parse(alerts),
  log: SILENT_LOG,
});
await notifier.run(new AbortController().signal);
