/** Goal: a chart's rows are those that Kibana draws. Method: answers as Elasticsearch gives them. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { panelRows } from './panel-rows.ts';

test('panelRows() puts named filters back into the order of the panel', () => {
  const filters = [{ label: 'People' }, { label: 'Helpers' }];
  const rows = panelRows(
    [
      ['who', { operationType: 'filters', isBucketed: true, params: { filters } }],
      ['starts', { operationType: 'count', isBucketed: false }],
    ],
    {
      hits: { total: { value: 3 } },
      aggregations: { who: { buckets: { Helpers: { doc_count: 1 }, People: { doc_count: 2 } } } },
    },
  );
  assert.deepEqual(rows, [
    { who: 'People', starts: 2 },
    { who: 'Helpers', starts: 1 },
  ]);
});
