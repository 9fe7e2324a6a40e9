/**
 * The end of the demo: what each stage counted, whether the counts agree, how quick the chat was, and what to try next.
 */
import { join } from 'node:path';
import { dataStreamName } from '@launchbeat/ecs-schemas';
import type { Played } from './play-office.ts';
import type { Screen } from './screen.ts';
import type { Stores } from './start-stores.ts';

interface Row {
  readonly what: string;
  readonly count: number | string;
  /** What it must be; absent where any number is right. */
  readonly expected?: number;
}

/** Prints the summary; gives whether every count agrees. */
export async function printSummary(options: {
  readonly played: Played;
  readonly stores: Stores;
  readonly screen: Screen;
  /** All of it ends right after this. */
  readonly once: boolean;
}): Promise<boolean> {
  const { played, stores, screen, once } = options;
  const { events, spooled, launches, tallies } = played;
  const tally = await tallies.read();
  const reasons = Object.entries(tally.leftOutBy).map(([reason, count]) => `${reason} ${count}`);
  const rows: Row[] = [
    { what: 'events in the recording', count: events },
    { what: 'read by the agent', count: tally.read, expected: events },
    { what: `left out (${reasons.join(', ')})`, count: tally.leftOut },
    { what: "lines in the agent's files", count: spooled, expected: tally.read - tally.leftOut },
    { what: 'acknowledged by the collector', count: tally.shipped, expected: spooled },
    { what: 'rows in PostgreSQL', count: tally.rows, expected: spooled },
    ...(tally.documents === undefined
      ? [{ what: 'documents in Elasticsearch', count: 'no Elasticsearch' }]
      : [{ what: 'documents in Elasticsearch', count: tally.documents, expected: spooled }]),
    { what: 'launches of watched programs by people', count: launches },
    { what: 'messages sent', count: tally.sent, expected: launches },
    ...(tally.inChat === undefined
      ? []
      : [{ what: 'messages in the chat', count: tally.inChat, expected: launches }]),
  ];
  const agrees = rows.every((row) => row.expected === undefined || row.count === row.expected);

  screen.line(`\n${screen.bold('Every stage, asked itself')}`);
  for (const { what, count, expected } of rows) {
    const wrong = expected !== undefined && count !== expected ? `  expected ${expected}` : '';
    screen.line(`  ${String(count).padStart(6)}  ${what}${wrong}`);
  }
  screen.line(agrees ? '\nEvery count agrees.' : '\nThe counts do not agree.');
  await printLatency(played, screen);
  if (once) screen.line('\nTo look by hand at what runs: make demo, without ONCE=1.');
  else printLook(played, stores, screen);
  screen.line(`${screen.bold('Try next')}
  docs/install.md puts it on a server and a PC; collector/alerts.yml says who is told what.`);
  return agrees;
}

async function printLatency({ tallies }: Played, screen: Screen): Promise<void> {
  const all = await tallies.latenciesMs();
  const median = all[Math.floor(all.length / 2)];
  const slowest = all.at(-1);
  if (median === undefined || slowest === undefined) return;
  const secondsOf = (ms: number): string => (ms / 1000).toFixed(2);
  screen.line(`Event to chat: median ${secondsOf(median)} s, slowest ${secondsOf(slowest)} s.`);
}

function printLook({ installation }: Played, stores: Stores, screen: Screen): void {
  const stream = dataStreamName(stores.namespace);
  screen.line(`
${screen.bold('Look by hand')}
  psql '${stores.postgresUrl}' -c 'select "timestamp", username, process_name, host_name from events order by 1 desc limit 5'${
    stores.elasticsearchUrl === undefined
      ? ''
      : `
  curl '${stores.elasticsearchUrl}/${stream}/_count?pretty'`
  }
  curl --cacert ${installation.caFile} ${installation.url}/metrics
  tail -n 1 ${join(installation.spool, 'launchbeat.*.ndjson')}`);
}
