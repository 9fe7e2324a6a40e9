/**
 * Takes the counters of a program, gives one log line per period with those that changed, as Beats' "Non-zero metrics".
 * Keeps: a program in which nothing happens writes nothing.
 */
import type { Log } from './log.ts';
import type { LoggingConfig } from './logging-config.ts';

/** Counters and gauges by dotted name, e.g. `spool.lines`. */
export type Metrics = Readonly<Record<string, number>>;

/** Begins the lines; the function that comes back writes the last one and ends them. */
export function startMetricsLog(config: LoggingConfig, log: Log, read: () => Metrics): () => void {
  if (!config.metrics.enabled) return () => undefined;
  let before: Metrics = {};
  const write = (message: string): void => {
    const now = read();
    const changed = Object.entries(now).filter(([name, value]) => value !== (before[name] ?? 0));
    before = now;
    if (changed.length === 0) return;
    log.info(
      Object.fromEntries(changed.map(([name, value]) => [`metrics.${name}`, value])),
      message,
    );
  };
  const timer = setInterval(() => write('Counters that changed.'), config.metrics.period);
  timer.unref();
  return () => {
    clearInterval(timer);
    write('Counters at the end.');
  };
}

/** What a stage counts, as metrics under its name: `deadLetters` of `index` becomes `index.dead_letters`. */
export function countsAsMetrics(stage: string, counts: object): Metrics {
  const numbers = Object.entries(counts).filter(([, value]) => typeof value === 'number');
  return Object.fromEntries(
    numbers.map(([name, value]) => [
      `${stage}.${name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}`,
      value as number,
    ]),
  );
}
