/**
 * Takes bench/results.json, gives its table and docs/performance.md. No figure stands in this file but the goals.
 */
import { type Results, readResults } from './results.ts';

interface Row {
  readonly what: string;
  readonly value: number | null;
  readonly unit: string;
  readonly goal?: { readonly text: string; readonly met: boolean | undefined };
}

type Limit = readonly [kind: 'at least' | 'at most', bound: number | null, words?: string];

function row(what: string, value: number | null, unit: string, limit?: Limit): Row {
  if (limit === undefined) return { what, value, unit };
  const [kind, bound, words] = limit;
  const known = value !== null && bound !== null;
  const met = known ? (kind === 'at least' ? value >= bound : value <= bound) : undefined;
  const shown = bound === null ? 'no peer here' : write(bound);
  return {
    what,
    value,
    unit,
    goal: { text: `${kind} ${shown}${words ? ` (${words})` : ''}`, met },
  };
}

const times = (value: number | null, factor: number): number | null =>
  value === null ? null : value * factor;

/** Three digits, thousands apart. */
function write(value: number): string {
  const rounded = Number(value.toPrecision(3));
  return rounded >= 1000 ? rounded.toLocaleString('en-US') : String(rounded);
}

const PEER_SHARE = 0.35;
const LOADER_SHARE = 0.85;

function rowsOf({ agent, collector, alerts, latency, detail }: Results): Row[] {
  const others = detail['agent']?.['otherPeers'] ?? {};
  const otherPeers = Object.entries(others as Record<string, number | null>);
  const more = detail['agent']?.['moreBacklog'] as { lines: number; rssMiB: number } | null;
  const { assess } = alerts;
  const { eventToChat } = latency;
  const ruleNanos = detail['alerts']?.['nanosPerRuleAndEvent'];
  const onAPc = detail['agent']?.['xmlToSpoolOnAPc'] as { eventsPerSecond: number } | undefined;
  const loader = collector.bothStores.loaderEventsPerSecond;
  const peer = agent.spoolToSink.peerCpuMicrosPerEvent;
  return [
    row('Agent: XML → spool, one core', agent.xmlToSpool.eventsPerSecond, 'events/s', [
      'at least',
      40_000,
    ]),
    row('… as launchbeat.exe starts it', onAPc?.eventsPerSecond ?? null, 'events/s'),
    row('Agent: spool → bare sink, CPU', agent.spoolToSink.cpuMicrosPerEvent, 'µs/event', [
      'at most',
      times(peer, PEER_SHARE),
      `${PEER_SHARE} × rsyslog`,
    ]),
    row('rsyslog: the same file to the same sink, CPU', peer, 'µs/event'),
    ...otherPeers.map(([name, micros]) => row(`… ${name}`, micros, 'µs/event')),
    row('Agent: memory, idle', agent.rssMiB.idle, 'MiB RSS', ['at most', 90]),
    row('Agent: memory at 50 events/s', agent.rssMiB.at50PerSecond, 'MiB RSS', ['at most', 90]),
    row('Agent: CPU, idle', agent.cpuPercent.idle, '% of a core', ['at most', 0.5]),
    row('Agent: CPU at 50 events/s', agent.cpuPercent.at50PerSecond, '% of a core', ['at most', 2]),
    row('Agent: peak memory, backlog of 1,000 lines', agent.backlog.rssMiB1k, 'MiB RSS'),
    row('Agent: peak memory, backlog of 1,000,000 lines', agent.backlog.rssMiB1M, 'MiB RSS'),
    ...(more ? [row(`… backlog of ${write(more.lines)} lines`, more.rssMiB, 'MiB RSS')] : []),
    row(
      `Collector: admit, assess, commit, one core of it, events of ${kilobytes(detail, 'commitOf1kB')}`,
      collector.commit.eventsPerSecond,
      'events/s',
      ['at least', 40_000, 'of 1 kB'],
    ),
    row(
      `… events of ${kilobytes(detail, 'commit')}, as the agent writes them`,
      collector.commit.wholeDocumentsPerSecond,
      'events/s',
    ),
    row('Two spools → both stores', collector.bothStores.eventsPerSecond, 'events/s', [
      'at least',
      times(loader, LOADER_SHARE),
      `${LOADER_SHARE} × loader`,
    ]),
    row("Loader (the JS client's helpers.bulk) → Elasticsearch alone", loader, 'events/s'),
    row('1,000 agents with 1,000 events each at once', collector.catchUp1000Agents.seconds, 's'),
    row('… peak memory of the collector', collector.catchUp1000Agents.peakRssMiB, 'MiB RSS'),
    row('Alerts: assess with 1 rule, one core', assess.rules1.eventsPerSecond, 'events/s'),
    row('… with 10 rules', assess.rules10.eventsPerSecond, 'events/s'),
    row('… with 100 rules', assess.rules100.eventsPerSecond, 'events/s', ['at least', 100_000]),
    row('… with 1,000 rules', assess.rules1000.eventsPerSecond, 'events/s'),
    row('… cost of one rule more', typeof ruleNanos === 'number' ? ruleNanos : null, 'ns/event'),
    row('Event → chat, median', eventToChat.p50Ms, 'ms'),
    row('Event → chat, 95 of 100', eventToChat.p95Ms, 'ms', ['at most', 2_000]),
    row('Event → chat, 99 of 100', eventToChat.p99Ms, 'ms'),
  ];
}

/** Size of the documents of one of the collector's rows. */
function kilobytes(detail: Results['detail'], name: string): string {
  const figures = detail['collector']?.[name] as { rawBytesPerEvent?: number } | undefined;
  const bytes = figures?.rawBytesPerEvent;
  return bytes === undefined ? 'some bytes' : `${(bytes / 1000).toFixed(1)} kB`;
}

/** The table as Markdown. */
export function resultsTable(results: Results): string {
  const lines = rowsOf(results).map(({ what, value, unit, goal }) => {
    const met = { true: 'yes', false: 'no', undefined: '' }[String(goal?.met)] ?? '';
    const shown = value === null ? 'not measured' : `${write(value)} ${unit}`;
    return `| ${what} | ${shown} | ${goal?.text ?? ''} | ${met} |`;
  });
  const { machine, versions, commit, rounds, measured } = results.about;
  const said = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  const peer = results.detail['agent']?.['peer'];
  return `| what | measured | goal | met |
|---|---|---|---|
${lines.join('\n')}

Machine: ${[machine, ...said].join(', ')}. Peer: ${typeof peer === 'string' ? peer : 'none on this machine'}.
Commit ${commit}, medians of ${rounds}, measured ${[...new Set(Object.values(measured).map((time) => time.slice(0, 10)))].join(', ') || 'never'}.`;
}

function latencyTable(results: Results): string {
  const rates = results.detail['latency']?.['rates'];
  if (typeof rates !== 'object' || rates === null) return '';
  const rows = Object.entries(rates as Record<string, Record<string, number>>).map(
    ([rate, figures]) =>
      `| ${write(Number(rate))} | ${['p50Ms', 'p95Ms', 'p99Ms', 'messages']
        .map((name) => write(figures[name] ?? Number.NaN))
        .join(' | ')} |`,
  );
  return `
## Event to chat by rate

| events/s | median, ms | 95 of 100, ms | 99 of 100, ms | messages |
|---|---|---|---|---|
${rows.join('\n')}
`;
}

const PLACES_SHOWN = 12;

function profileTable(shares: unknown, { title, words }: { title: string; words: string }): string {
  if (typeof shares !== 'object' || shares === null) return '';
  const rows = Object.entries(shares as Record<string, number>)
    .slice(0, PLACES_SHOWN)
    .map(([place, percent]) => `| ${place} | ${write(percent)} |`);
  return `
## ${title}

One more round under V8's profiler, the program's main thread, without its waiting. ${words}

| place | % |
|---|---|
${rows.join('\n')}
`;
}

const AGENT_PROFILE = {
  title: 'Where XML → spool spends its time',
  words: `\`pino\` prints the document: about 2.4 KB, since an
event's data stands there once as ECS has it and once as Windows has it. Node.js writes and forces the file, hashes the id, and loads
the program itself.`,
};
const COLLECTOR_PROFILE = {
  title: 'Where admit, assess, commit spend their time',
  words: `Whole documents. \`collector: admit\`
is the parser of JSON for the most part, and the look at each field; Node.js is TLS, zstd and what is written to PostgreSQL.`,
};

/** What an event costs each program on its way to both stores. The loader has no agent and no PostgreSQL. */
function costTable(results: Results): string {
  const costs = results.detail['collector']?.['bothStores'] as Record<string, number> | undefined;
  if (costs === undefined || costs === null) return '';
  const cells = (names: readonly string[]): string =>
    names.map((name) => (name === '' ? '' : write(costs[name] ?? Number.NaN))).join(' | ');
  return `
## What an event costs on its way to both stores

CPU time, µs/event. Everything shares the two cores, so the sum says how fast it can go.

| | agents | collector, or loader | PostgreSQL | Elasticsearch |
|---|---|---|---|---|
| Launchbeat | ${cells(['ownAgentMicrosPerEvent', 'ownCollectorMicrosPerEvent', 'ownPostgresMicrosPerEvent', 'ownElasticsearchMicrosPerEvent'])} |
| helpers.bulk | ${cells(['', 'loaderMicrosPerEvent', '', 'loaderElasticsearchMicrosPerEvent'])} |
`;
}

/** The page as Markdown, from the results that are kept. */
export function performancePage(results: Results = readResults()): string {
  return `# Performance

<!-- Written by \`make bench\` and \`make docs\` from bench/results.json; do not edit by hand. -->

\`make bench\` measures all of this on your machine (\`ONLY=agent|collector|alerts|latency\`, \`ROUNDS=1\` for a quick look,
\`BACKLOG_LINES=10000000\` for one more backlog, \`CPU_PROFILE=1\` for a profile of each program). Everything runs on one machine at once: the programs, the stores, and what feeds
them. So ratios say more than rates.

${resultsTable(results)}
${latencyTable(results)}${costTable(results)}${profileTable(results.detail['agent']?.['xmlToSpoolProfile'], AGENT_PROFILE)}${profileTable(results.detail['collector']?.['commitProfile'], COLLECTOR_PROFILE)}
## How it is measured

* Events are events 4688 as Windows prints them (about 1,400 characters of XML), made from a number, so that every run has the same
  ones. As documents they take about 2.4 KB. The programs are the real ones, started as a user starts them; CPU seconds and memory
  are the kernel's (\`/proc\`).
* **One core**: events per second of CPU time, all threads of the program together. The rates by the clock, bytes on the wire and
  on disk, and the CPU time of the stores stand beside in bench/results.json, under \`detail\`.
* **XML → spool**: the agent replays a file of XML, maps it, appends and fsyncs each 500 events. No collector answers.
* **Spool → bare sink**: the agent ships a file that is there already; chunks of 1 MiB, zstd, the checkpoint on disk before each.
  rsyslog (imfile, omelasticsearch, raw lines, no compression) ships the same file to the same sink in the same run; so do Filebeat and the
  OpenTelemetry Collector where \`BENCH_PEER_FILEBEAT\` and \`BENCH_PEER_OTELCOL\` name their programs (neither was at hand here).
* **Memory and CPU of the agent**: with a stand-in for the Windows reader that looks each second, as the real one does; PowerShell's
  share is not in it. Backlogs are shipped by the same program. The agent is the bundle for Windows with the flags of launchbeat.exe, if \`make windows\` has installed the
  bundler; else its source, whose loading takes 40 MiB more. Those flags switch V8's optimising compilers off and
  clear the old generation early: that saves memory and costs speed, of which a PC needs little (its own row above).
* **Collector**: chunks of ten agents over HTTPS, eight at a time, into PostgreSQL with its default settings and fsync on. The smaller
  documents are what \`drop_fields\` can leave: what a document must have, and what a row of PostgreSQL is made of.
* **Both stores**: two agents ship a spool each over HTTPS; the clock stops when PostgreSQL has every row and Elasticsearch every
  document. The loader reads the same lines, parses them and sends objects by \`helpers.bulk\` on two lanes into the same
  Elasticsearch with the same template; it gets no PostgreSQL to fill.
* **Alerts**: rules of several kinds, most of which do not fire, on one core.
* **Event → chat**: from the time that stands in the event to its message in a stand-in for Telegram without limits. The reader looks
  at the log once a second, so half a second of the median is waiting for that look.
`;
}
