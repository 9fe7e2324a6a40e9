/**
 * Row beside "both stores": the JS client's own loader into the same Elasticsearch, with the template that the collector made.
 */
import { fileURLToPath } from 'node:url';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import { runProgram } from '../../tests/support/processes.ts';
import { cpuSecondsBelow } from '../process-usage.ts';
import { WARM_UP_SHARE } from './both-stores.ts';

const SCRIPT = fileURLToPath(new URL('loader.ts', import.meta.url));

export interface LoaderRate {
  readonly [figure: string]: number;
  readonly eventsPerSecond: number;
  readonly loaderMicrosPerEvent: number;
  readonly elasticsearchMicrosPerEvent: number;
}

/** Loads the file into a data stream of its own. */
export async function measureLoader(
  elasticsearchUrl: string,
  namespace: string,
  file: string,
  lines: number,
): Promise<LoaderRate> {
  const before = cpuSecondsBelow(/java/);
  const end = await runProgram(process.execPath, [
    SCRIPT,
    elasticsearchUrl,
    dataStreamName(namespace),
    file,
    String(Math.floor(lines * WARM_UP_SHARE)),
  ]);
  if (end.code !== 0) throw new Error(`The loader ended with ${end.code}:\n${end.stderr}`);
  const { seconds, events, cpuMicrosPerEvent } = JSON.parse(end.stdout) as Record<
    'seconds' | 'events' | 'cpuMicrosPerEvent',
    number
  >;
  return {
    eventsPerSecond: events / seconds,
    loaderMicrosPerEvent: cpuMicrosPerEvent,
    elasticsearchMicrosPerEvent: ((cpuSecondsBelow(/java/) - before) * 1e6) / lines,
  };
}
