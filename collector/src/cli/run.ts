/**
 * `launchbeat-collector run`: config, log, tables and template, then every stage until a signal comes.
 * Keeps: nothing is taken from an agent before PostgreSQL is ready; SIGINT and SIGTERM end it when running requests are answered,
 * SIGHUP has it read its config again.
 */
import {
  createLog,
  type GlobalFlags,
  startMetricsLog,
  stopSignal,
} from '@launchbeat/ecs-schemas/beat';
import { collectorVersion, loadCollector } from '../config.ts';
import { openCollector } from '../open-collector.ts';
import { createReload } from '../reload-config.ts';
import { watchAlerts } from '../watch-alerts.ts';

/** Runs the collector; resolves when it ended in good order. */
export async function run(flags: GlobalFlags): Promise<void> {
  const loaded = loadCollector(flags);
  const { config, alerts, alertsFile, alertsLists, paths, file } = loaded;
  const version = collectorVersion();
  let reload = (): void => undefined;
  const signal = stopSignal(() => reload());
  const logging = await createLog({
    config: config.logging,
    name: 'launchbeat-collector',
    folder: paths.logs,
    stderr: flags.logToStderr,
    version,
  });
  const { log } = logging;
  try {
    log.info({ 'file.path': file }, `launchbeat-collector ${version} starts.`);
    const collector = await openCollector({ config, alerts, paths, version, log });
    const endWatch = watchAlerts({
      file: alertsFile,
      lists: alertsLists,
      load: () => loadCollector(flags),
      use: (changed) => collector.useAlerts(changed),
      onBroken: (problem) => void collector.tellBroken(problem),
      log,
    });
    reload = createReload({
      ...{ loaded, load: () => loadCollector(flags), log },
      use(fresh) {
        logging.useLevel(fresh.config.logging.level);
        collector.use(fresh.config);
        collector.useAlerts(fresh.alerts);
      },
    });
    const endMetrics = startMetricsLog(config.logging, log, () => collector.metrics());
    try {
      await collector.run(signal);
    } finally {
      endMetrics();
      endWatch();
      await collector.close();
    }
    log.info({}, 'launchbeat-collector ends.');
  } catch (error) {
    log.error({ err: error }, 'launchbeat-collector ends with an error.');
    throw error;
  } finally {
    await logging.close();
  }
}
