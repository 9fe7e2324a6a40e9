/**
 * Goal: a chart that Kibana could not draw does not pass. Method: our own file with one thing broken at a time;
 * each must be told in words that name it.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { broken, columnOf, layerOf, type Mutation, within } from './broken-export.ts';
import { checkExport } from './check-export.ts';

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'columnOrder with a stranger': [
    ({ chart }) => {
      layerOf(chart('lnsXY')).columnOrder.push('x');
    },
    /columnOrder of layer .* is not its columns/,
  ],
  'figures before groups': [
    ({ chart }) => {
      layerOf(chart('lnsXY')).columnOrder.reverse();
    },
    /groups must stand before figures/,
  ],
  'an order by a column that is not there': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'terms').params.orderBy.columnId = 'x';
    },
    /ordered by a column that is not there/,
  ],
  'an accessor that points at nothing': [
    ({ chart }) => {
      chart('lnsMetric').state.visualization.metricAccessor = 'x';
    },
    /shows column x of layer .* which is not there/,
  ],
  'a metric that is no number': [
    ({ chart }) => {
      Object.assign(columnOf(chart('lnsMetric'), 'count'), {
        operationType: 'max',
        sourceField: '@timestamp',
        dataType: 'date',
      });
    },
    /a metric must show a number/,
  ],
  'groups where figures belong': [
    ({ chart }) => {
      const layer = chart('lnsHeatmap').state.visualization;
      [layer.yAccessor, layer.valueAccessor] = [layer.valueAccessor, layer.yAccessor];
    },
    /must be a column of/,
  ],
  'a table that leaves a column out': [
    ({ chart }) => {
      chart('lnsDatatable').state.visualization.columns.pop();
    },
    /the chart leaves out column/,
  ],
  'a visualization that is none': [
    ({ chart }) => {
      chart('lnsPie').visualizationType = 'lnsPizza';
    },
    /"lnsPizza" is no visualization/,
  ],
  'the layer form before 8.6': [
    ({ chart }) => {
      chart('lnsXY').state.datasourceStates.indexpattern = { layers: {} };
    },
    /form before 8\.6/,
  ],
  'a field that is not indexed': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'terms').sourceField = 'process.hash.md5';
    },
    /field process\.hash\.md5 is not indexed/,
  ],
  'groups of a text field': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'terms').sourceField = 'message';
    },
    /terms does not take message, a text field/,
  ],
  'a sum of words': [
    ({ chart }) => {
      const column = columnOf(chart('lnsMetric'), 'count');
      Object.assign(column, { operationType: 'sum', sourceField: 'host.name' });
    },
    /sum does not take host\.name, a keyword field/,
  ],
  'a histogram of no date': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'date_histogram').sourceField = 'process.pid';
    },
    /date_histogram does not take process\.pid/,
  ],
  "a data type that is not the field's": [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'terms').dataType = 'number';
    },
    /has the data type "string"/,
  ],
  'an operation that is none': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'count').operationType = 'tally';
    },
    /"tally" is none of Lens's/,
  ],
  'a formula without its helpers': [
    ({ chart }) => {
      Object.assign(columnOf(chart('lnsMetric'), 'count'), {
        operationType: 'formula',
        params: { formula: 'count() / 2' },
      });
    },
    /stored without its helper columns/,
  ],
  'rare values that are not rare': [
    ({ chart }) => {
      columnOf(chart('lnsDatatable'), 'terms').params.orderBy = { type: 'rare', maxDocCount: 101 };
    },
    /maxDocCount must be 1 to 100/,
  ],
  'too many groups': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'terms').params.size = 5000;
    },
    /size must be 1 to 1000/,
  ],
  'KQL that does not parse': [
    ({ chart }) => {
      chart('lnsXY').state.query.query = 'a : (b';
    },
    /KQL: expected/,
  ],
  'KQL on a field that is not there': [
    ({ search }) => {
      within(search.attributes.kibanaSavedObjectMeta, 'searchSourceJSON', (source) => {
        source.query.query = 'process.nmae : "x"';
      });
    },
    /field process\.nmae is not indexed/,
  ],
  'KQL without a field': [
    ({ chart }) => {
      chart('lnsXY').state.query.query = 'powershell';
    },
    /names no field/,
  ],
  'KQL that compares words': [
    ({ chart }) => {
      chart('lnsXY').state.query.query = 'process.name > 5';
    },
    /compare texts/,
  ],
  'a wildcard that Kibana would split': [
    ({ chart }) => {
      chart('lnsXY').state.query.query = 'process.command_line : *-w hidden*';
    },
    /splits a wildcard value at its spaces/,
  ],
  'a filter of a figure on a field that is not there': [
    ({ chart }) => {
      columnOf(chart('lnsMetric'), 'count').filter = { query: 'no.field : 1', language: 'kuery' };
    },
    /field no\.field is not indexed/,
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
