/**
 * Writes grafana-dashboard.json: `node docker/monitoring/write-dashboard.ts`. The panels stand here as a table; the file is what
 * Grafana imports (schema 39, Grafana 10 and newer).
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

type Unit = 'short' | 's' | 'bytes' | 'ops' | 'reqps';

interface Panel {
  readonly title: string;
  readonly unit: Unit;
  /** Expression and its legend. */
  readonly queries: readonly (readonly [expression: string, legend: string])[];
  readonly help?: string;
}

const P = 'launchbeat_collector_';
const rate = (name: string, by = ''): string =>
  `sum${by === '' ? '' : ` by (${by})`} (rate(${P}${name}{job=~"$job"}[$__rate_interval]))`;
const quantile = (share: number, name: string, by = ''): string =>
  `histogram_quantile(${share}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${P}${name}_bucket{job=~"$job"}[$__rate_interval])))`;
const latest = (name: string): string => `max(${P}${name}{job=~"$job"})`;
const each = (name: string): string => `${name}{job=~"$job"}`;

const ROWS: readonly (readonly [title: string, panels: readonly Panel[]])[] = [
  [
    'Fleet',
    [
      {
        title: 'Agents by state',
        unit: 'short',
        queries: [[`max by (state) (${P}agents{job=~"$job"})`, '{{state}}']],
      },
      {
        title: 'Health facts',
        unit: 'ops',
        queries: [[rate('agent_facts_total', 'kind'), '{{kind}}']],
        help: 'gap, quarantine, cloned, foreign_agent, foreign_host: somebody must look.',
      },
      {
        title: 'Check-ins, enrolments, new keys',
        unit: 'ops',
        queries: [
          [rate('check_ins_total'), 'check-ins'],
          [rate('enrolments_total'), 'enrolments'],
          [rate('key_rotations_total'), 'new keys'],
        ],
      },
    ],
  ],
  [
    'Door',
    [
      {
        title: 'Answers to chunks',
        unit: 'reqps',
        queries: [[rate('chunk_answers_total', 'status, problem'), '{{status}} {{problem}}']],
      },
      {
        title: 'Chunk to receipt',
        unit: 's',
        queries: [
          [quantile(0.5, 'chunk_seconds'), 'median'],
          [quantile(0.99, 'chunk_seconds'), '99 of 100'],
        ],
      },
      {
        title: 'Time in a stage, 99 of 100',
        unit: 's',
        queries: [[quantile(0.99, 'stage_seconds', 'stage'), '{{stage}}']],
      },
      {
        title: 'Being worked on, waiting',
        unit: 'short',
        queries: [
          [each(`${P}in_flight_requests`), 'here, {{instance}}'],
          [each(`${P}waiting_requests`), 'wait for their turn, {{instance}}'],
        ],
      },
      {
        title: 'Memory counted for chunks',
        unit: 'bytes',
        queries: [[each(`${P}in_flight_bytes`), '{{instance}}']],
      },
    ],
  ],
  [
    'Events',
    [
      {
        title: 'Events',
        unit: 'ops',
        queries: [
          [rate('events_accepted_total'), 'new'],
          [rate('events_duplicate_total'), 'known'],
          [rate('lines_rejected_total'), 'rejected'],
        ],
      },
      {
        title: 'PC to store',
        unit: 's',
        queries: [
          [quantile(0.5, 'event_stored_seconds'), 'median'],
          [quantile(0.99, 'event_stored_seconds'), '99 of 100'],
        ],
      },
      {
        title: 'PC to chat',
        unit: 's',
        queries: [
          [quantile(0.5, 'event_told_seconds'), 'median'],
          [quantile(0.99, 'event_told_seconds'), '99 of 100'],
        ],
      },
      {
        title: 'Commits',
        help: 'Small chunks that come together share a transaction: the busier, the fewer transactions.',
        unit: 'ops',
        queries: [
          [rate('chunks_total'), 'chunks'],
          [rate('commit_transactions_total'), 'transactions'],
        ],
      },
      {
        title: 'Commits that were put off',
        unit: 'ops',
        queries: [
          [rate('commit_retries_total'), 'answered 503'],
          [rate('chunk_conflicts_total'), 'conflicts'],
        ],
      },
    ],
  ],
  [
    'Elasticsearch',
    [
      {
        title: 'Documents',
        unit: 'ops',
        queries: [
          [rate('index_documents_total'), 'taken'],
          [rate('index_duplicates_total'), 'there already'],
          [rate('index_dead_letters_total'), 'never taken'],
          [rate('index_retries_total'), 'repeated'],
        ],
      },
      {
        title: 'Lines that wait',
        unit: 'short',
        queries: [[latest('index_queue_lines'), 'in PostgreSQL']],
      },
      {
        title: 'How late search is',
        unit: 's',
        queries: [[latest('index_lag_seconds'), 'oldest chunk']],
      },
      {
        title: 'Reports to Elasticsearch',
        unit: 'ops',
        queries: [
          [rate('reports_total'), 'taken'],
          [rate('reports_refused_total'), 'refused'],
          [rate('reports_retries_total'), 'repeated'],
        ],
      },
      {
        title: 'Bytes that wait',
        unit: 'bytes',
        queries: [
          [latest('index_queue_bytes'), 'in PostgreSQL'],
          [each(`${P}index_memory_bytes`), 'in memory, {{instance}}'],
        ],
      },
    ],
  ],
  [
    'Messages',
    [
      {
        title: 'Alerts and messages',
        unit: 'ops',
        queries: [
          [rate('alerts_total'), 'alerts'],
          [rate('messages_sent_total'), 'sent'],
          [rate('messages_failed_total'), 'refused for good'],
          [rate('messages_retries_total'), 'repeated'],
        ],
      },
      {
        title: 'Messages that wait',
        unit: 'short',
        queries: [[latest('messages_pending'), 'wait']],
      },
      {
        title: 'Who sends',
        unit: 'short',
        queries: [[each(`${P}messages_leader`), '{{instance}}']],
        help: 'One of all collectors has 1.',
      },
    ],
  ],
  [
    'Process',
    [
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [[each('process_resident_memory_bytes'), '{{instance}}']],
      },
      {
        title: 'CPU cores',
        unit: 'short',
        queries: [
          [
            'sum by (instance) (rate(process_cpu_seconds_total{job=~"$job"}[$__rate_interval]))',
            '{{instance}}',
          ],
        ],
      },
      {
        title: 'Event loop, 99 of 100',
        unit: 's',
        queries: [[each('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
      },
    ],
  ],
];

const [WIDTH, HEIGHT, COLUMNS] = [8, 8, 24];
const SOURCE = { type: 'prometheus', uid: '$' + '{datasource}' };

/** The dashboard as Grafana imports it. */
export function dashboard(): object {
  let [id, y] = [0, 0];
  const panels: object[] = [];
  for (const [title, row] of ROWS) {
    id += 1;
    panels.push({
      id,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: at(0, y, COLUMNS, 1),
    });
    y += 1;
    for (const [index, panel] of row.entries()) {
      id += 1;
      const place = at(
        (index * WIDTH) % COLUMNS,
        y + Math.floor((index * WIDTH) / COLUMNS) * HEIGHT,
      );
      panels.push({ id, ...panelOf(panel), gridPos: place });
    }
    y += Math.ceil((row.length * WIDTH) / COLUMNS) * HEIGHT;
  }
  const variable = (name: string, more: object) => ({ name, label: name, hide: 0, ...more });
  return {
    ...{ uid: 'launchbeat-collector', title: 'Launchbeat collector', tags: ['launchbeat'] },
    ...{ schemaVersion: 39, version: 1, editable: true, refresh: '30s', panels },
    time: { from: 'now-6h', to: 'now' },
    templating: {
      list: [
        variable('datasource', { type: 'datasource', query: 'prometheus' }),
        variable('job', {
          ...{ type: 'query', datasource: SOURCE, includeAll: true, allValue: '.*', refresh: 2 },
          query: { query: `label_values(${P}in_flight_requests, job)`, refId: 'job' },
        }),
      ],
    },
  };
}

const at = (x: number, y: number, w = WIDTH, h = HEIGHT) => ({ x, y, w, h });

function panelOf({ title, unit, queries, help }: Panel): object {
  return {
    ...{ type: 'timeseries', title, datasource: SOURCE },
    ...(help === undefined ? {} : { description: help }),
    fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
    targets: queries.map(([expr, legendFormat], index) => ({
      ...{ refId: String.fromCharCode(65 + index), datasource: SOURCE, expr, legendFormat },
    })),
  };
}

if (import.meta.main) {
  const file = join(import.meta.dirname, 'grafana-dashboard.json');
  writeFileSync(file, `${JSON.stringify(dashboard(), undefined, 2)}\n`);
}
