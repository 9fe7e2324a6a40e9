/**
 * Goal: a panel, search, control or label is held against the data stream that it reads, and formats and figures of "now" against what
 * Kibana can show. Method: our own file with one thing broken at a time.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  broken,
  columnOf,
  control,
  type Loose,
  layerOf,
  type Mutation,
  type OpenedExport,
  panels,
  within,
} from './broken-export.ts';
import { checkExport } from './check-export.ts';

const byId = ({ objects }: OpenedExport, id: string): Loose =>
  objects.find((one) => one.id === id) ?? assert.fail(`no object ${id}`);
const healthOf = (file: OpenedExport): Loose => byId(file, 'launchbeat-dashboard-health');
const alertsOf = (file: OpenedExport): Loose => byId(file, 'launchbeat-dashboard-alerts');

/** Changes the chart of a panel by its title. */
function chart(dashboard: Loose, title: string, change: (attributes: Loose) => void): void {
  panels(dashboard, (list) => {
    const panel = list.find((one) => one.title === title) ?? assert.fail(`no panel ${title}`);
    change(panel.embeddableConfig.attributes);
  });
}

/** Changes the format of a field in a data view. */
function format(
  file: OpenedExport,
  view: string,
  field: string,
  change: (it: Loose) => void,
): void {
  within(byId(file, view).attributes, 'fieldFormatMap', (map) => change(map[field]));
}

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a field of the process starts in a panel on health': [
    (file) =>
      chart(healthOf(file), 'Degraded in this period', (attributes) => {
        columnOf(attributes, 'terms').sourceField = 'process.name';
      }),
    /field process\.name is not indexed/,
  ],
  'a field of health in a panel on process starts': [
    (file) =>
      chart(healthOf(file), 'Longest without an event', (attributes) => {
        columnOf(attributes, 'terms').sourceField = 'launchbeat.health.state';
      }),
    /field launchbeat\.health\.state is not indexed/,
  ],
  'a query on alerts that asks for a field of the process starts': [
    (file) =>
      chart(alertsOf(file), 'What became of them', (attributes) => {
        attributes.state.query.query = 'launchbeat.launch : true';
      }),
    /field launchbeat\.launch is not indexed/,
  ],
  'groups by a flattened field, which Lens cannot': [
    (file) =>
      chart(healthOf(file), 'Degraded in this period', (attributes) => {
        columnOf(attributes, 'terms').sourceField = 'launchbeat.health.counters';
      }),
    /terms does not take launchbeat\.health\.counters, a flattened field/,
  ],
  'a figure of words': [
    (file) =>
      chart(healthOf(file), 'Fullest spools', (attributes) => {
        columnOf(attributes, 'max').sourceField = 'launchbeat.health.state';
      }),
    /max does not take launchbeat\.health\.state/,
  ],
  'a control of health on a field that it has not': [
    (file) =>
      control(healthOf(file), (one) => {
        one.explicitInput.fieldName = 'launchbeat.program';
      }),
    /no list can be made of launchbeat\.program/,
  ],
  'a query over all panels that one of the streams cannot answer': [
    (file) => {
      within(healthOf(file).attributes.kibanaSavedObjectMeta, 'searchSourceJSON', (source) => {
        source.query.query = 'launchbeat.health.record : "agent"';
      });
    },
    /field launchbeat\.health\.record is not indexed/,
  ],
  'a column of a search that only another stream has': [
    (file) => {
      byId(file, 'launchbeat-search-facts').attributes.columns.push('process.name');
    },
    /field process\.name is not indexed/,
  ],
  'a label in the data view of alerts on a field of health': [
    (file) => {
      within(byId(file, 'launchbeat-alerts').attributes, 'fieldAttrs', (labels) => {
        labels['launchbeat.health.state'] = { customLabel: 'x' };
      });
    },
    /label of launchbeat\.health\.state/,
  ],
  'a second data view of foreign data': [
    (file) => {
      byId(file, 'launchbeat-health').attributes.title = 'metrics-*';
    },
    /launchbeat-health: is of no data stream of ours/,
  ],
  'a link that Kibana would not make': [
    (file) =>
      format(file, 'launchbeat-alerts', 'threat.technique.id', (one) => {
        one.params.urlTemplate = 'javascript:alert("{{value}}")';
      }),
    /urlTemplate is no link/,
  ],
  'a link without its value': [
    (file) =>
      format(file, 'launchbeat-alerts', 'threat.technique.id', (one) => {
        one.params.urlTemplate = 'https://attack.mitre.org/';
      }),
    /does not hold the value/,
  ],
  'a link without a label': [
    (file) =>
      format(file, 'launchbeat-process-starts', 'host.name', (one) => {
        one.params.labelTemplate = '';
      }),
    /without labelTemplate/,
  ],
  'a duration on words': [
    (file) => {
      within(byId(file, 'launchbeat-health').attributes, 'fieldFormatMap', (map) => {
        map['launchbeat.health.state'] = map['launchbeat.health.lag_ms'];
      });
    },
    /"duration" is not for this field/,
  ],
  'a duration in a form that there is not': [
    (file) =>
      format(file, 'launchbeat-health', 'launchbeat.health.lag_ms', (one) => {
        one.params.outputFormat = 'asFortnights';
      }),
    /outputFormat is no duration/,
  ],
  'a figure of now that names no span': [
    (file) =>
      panels(healthOf(file), (list) => {
        const figure = list.find((one) => one.title === 'Healthy now');
        columnOf(figure.embeddableConfig.attributes, 'unique_count').reducedTimeRange = 'recently';
      }),
    /reducedTimeRange must be like 15m/,
  ],
  'a figure of now in each step of time': [
    (file) =>
      chart(healthOf(file), 'Lag over time', (attributes) => {
        columnOf(attributes, 'percentile').reducedTimeRange = '15m';
      }),
    /does not go with a histogram of time/,
  ],
  'groups of now': [
    (file) =>
      chart(healthOf(file), 'Versions in this period', (attributes) => {
        columnOf(attributes, 'terms').reducedTimeRange = '15m';
      }),
    /is for figures, not groups/,
  ],
  'a second line that no column is of': [
    (file) =>
      chart(healthOf(file), 'Lag over time', (attributes) => {
        const id = attributes.state.visualization.layers[0].accessors[1];
        const layer = layerOf(attributes);
        delete layer.columns[id];
        layer.columnOrder = layer.columnOrder.filter((one: string) => one !== id);
      }),
    /points at|not there|no column/,
  ],
  'a link bar that forgets a dashboard of the file': [
    (file) => {
      const id = 'launchbeat-dashboard-alerts';
      file.objects.splice(file.objects.indexOf(byId(file, id)), 1);
    },
    /leads to dashboard launchbeat-dashboard-alerts, which the file does not hold/,
  ],
};

describe('checkExport() tells of', () => {
  for (const [name, [change, told]] of Object.entries(MUTATIONS)) {
    test(name, () => {
      const problems = checkExport(broken(change)).map(({ where, what }) => `${where}: ${what}`);
      assert.ok(
        problems.some((problem) => told.test(problem)),
        `wanted ${told}, found:\n${problems.join('\n')}`,
      );
    });
  }
});
