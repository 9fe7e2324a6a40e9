/**
 * Goal: what Kibana could not import or show does not pass. Method: our own file with one thing broken at a time;
 * each must be told in words that name it.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { bundleText } from '../bundle.ts';
import { broken, control, type Loose, type Mutation, panels, within } from './broken-export.ts';
import { checkExport } from './check-export.ts';

const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a newer dashboard version': [
    ({ dashboard }) => {
      dashboard.typeMigrationVersion = '10.2.0';
    },
    /typeMigrationVersion must be 8\.9\.0/,
  ],
  'no version at all': [
    ({ dashboard }) => {
      delete dashboard.typeMigrationVersion;
    },
    /lacks typeMigrationVersion/,
  ],
  'a newer core version': [
    ({ search }) => {
      search.coreMigrationVersion = '9.1.0';
    },
    /coreMigrationVersion must be 8\.8\.0/,
  ],
  'a key that 8.11 refuses on a dashboard': [
    ({ dashboard }) => {
      dashboard.attributes.sections = [];
    },
    /has sections/,
  ],
  'a key that 8.11 refuses on a search': [
    ({ search }) => {
      search.attributes.sampleSize = 500;
    },
    /has sampleSize/,
  ],
  'a title that is gone': [
    ({ dashboard }) => {
      delete dashboard.attributes.title;
    },
    /lacks title/,
  ],
  'panelsJSON as a list instead of a text': [
    ({ dashboard }) => {
      dashboard.attributes.panelsJSON = [];
    },
    /must be a text that holds JSON/,
  ],
  'broken JSON within a text': [
    ({ dashboard }) => {
      dashboard.attributes.optionsJSON = '{';
    },
    /holds broken JSON/,
  ],
  'a line that is no JSON': [
    ({ objects }) => {
      objects.push('x');
    },
    /is not an object/,
  ],
  'an object twice': [
    ({ objects, search }) => {
      objects.unshift(structuredClone(search));
    },
    /stands twice: Kibana refuses/,
  ],
  'an object that the summary does not count': [
    ({ objects }) => {
      objects.splice(2, 1);
    },
    /says \d+ objects, there are \d+/,
  ],
  'the data view left out': [
    ({ objects }) => {
      objects.shift();
    },
    /leads to index-pattern launchbeat-process-starts, which the file does not hold/,
  ],
  'a saved search left out': [
    ({ objects }) => {
      objects.splice(
        objects.findIndex(({ id }) => id === 'launchbeat-search-starts'),
        1,
      );
    },
    /leads to search launchbeat-search-starts/,
  ],
  'a sister dashboard left out': [
    ({ objects }) => {
      objects.splice(
        objects.findIndex(({ id }) => id === 'launchbeat-dashboard-trees'),
        1,
      );
    },
    /leads to dashboard launchbeat-dashboard-trees/,
  ],
  'a chart reference missing on the dashboard': [
    ({ dashboard }) => {
      dashboard.references = dashboard.references.filter(
        ({ name }: Loose) => !name.includes('indexpattern-datasource-layer'),
      );
    },
    /reference ".*indexpattern-datasource-layer.*" is missing/,
  ],
  'a chart reference missing within the panel': [
    ({ chart }) => {
      chart('lnsXY').references = [];
    },
    /lacks its data view among the chart's references/,
  ],
  'a chart and its dashboard of two minds about the data view': [
    ({ chart }) => {
      chart('lnsXY').references[0].id = 'other';
    },
    /but other within the panel/,
  ],
  'a reference that nothing uses': [
    ({ dashboard }) => {
      dashboard.references.push({ type: 'search', id: 'launchbeat-search-starts', name: 'x' });
    },
    /"x" is used by nothing/,
  ],
  'a reference of the wrong type': [
    ({ dashboard }) => {
      dashboard.references.find(({ type }: Loose) => type === 'search').type = 'lens';
    },
    /is a lens, not a search/,
  ],
  'a search without its data view': [
    ({ search }) => {
      search.references = search.references.filter(({ type }: Loose) => type === 'tag');
    },
    /lacks its data view/,
  ],
  'a link whose reference is gone': [
    ({ dashboard }) => {
      dashboard.references = dashboard.references.filter(
        ({ name }: Loose) => !name.includes('link_'),
      );
    },
    /reference ".*link_.*" is missing/,
  ],
  'a drilldown whose reference is gone': [
    ({ dashboard }) => {
      dashboard.references = dashboard.references.filter(
        ({ name }: Loose) => !name.includes('drilldown'),
      );
    },
    /reference ".*drilldown.*" is missing/,
  ],
  'a control whose reference is gone': [
    ({ dashboard }) => {
      dashboard.references = dashboard.references.filter(
        ({ name }: Loose) => !name.startsWith('controlGroup'),
      );
    },
    /reference "controlGroup_.*" is missing/,
  ],
  'a control over text': [
    ({ dashboard }) => {
      control(dashboard, (one) => {
        one.explicitInput.fieldName = 'message';
      });
    },
    /no list can be made of message/,
  ],
  'a control with another id': [
    ({ dashboard }) => {
      control(dashboard, (one) => {
        one.explicitInput.id = 'x';
      });
    },
    /explicitInput\.id is another id/,
  ],
  'panels that cover each other': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[2].gridData.x = list[1].gridData.x;
      });
    },
    /cover each other/,
  ],
  'a panel beyond the grid': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[0].gridData.w = 49;
      });
    },
    /reaches over the 48 columns/,
  ],
  'a panel of no height': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[0].gridData.h = 0;
      });
    },
    /has no place on the grid/,
  ],
  'two panels of one id': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[1].panelIndex = list[0].panelIndex;
        list[1].gridData.i = list[0].panelIndex;
      });
    },
    /panelIndex .* stands twice/,
  ],
  'gridData of another panel': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[1].gridData.i = 'x';
      });
    },
    /gridData\.i is another id/,
  ],
  'a panel type of a newer Kibana': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list[1].type = 'vis';
      });
    },
    /"vis" is none that 8\.11 knows/,
  ],
  'an old visualization': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list.find(({ type }) => type === 'visualization').embeddableConfig.savedVis.type =
          'metrics';
      });
    },
    /is an old visualization/,
  ],
  'a chart by reference': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list.find(({ type }) => type === 'lens').panelRefName = 'panel_x';
      });
    },
    /stands by reference/,
  ],
  'the time range not restored': [
    ({ dashboard }) => {
      dashboard.attributes.timeRestore = false;
    },
    /timeRestore must be true/,
  ],
  'a time that is none': [
    ({ dashboard }) => {
      dashboard.attributes.timeFrom = 'yesterday';
    },
    /needs timeFrom and timeTo/,
  ],
  'a column of a search that is not indexed': [
    ({ search }) => {
      search.attributes.columns.push('process.hash.md5');
    },
    /field process\.hash\.md5 is not indexed/,
  ],
  'a label on a field that is not there': [
    ({ dataView }) => {
      within(dataView.attributes, 'fieldAttrs', (labels) => {
        labels['no.field'] = { customLabel: 'x' };
      });
    },
    /label of no\.field/,
  ],
  'a number format on words': [
    ({ dataView }) => {
      within(dataView.attributes, 'fieldFormatMap', (map) => {
        map['host.name'] = { id: 'number' };
      });
    },
    /"number" is not for this field/,
  ],
  'a data view of other data': [
    ({ dataView }) => {
      dataView.attributes.title = 'logs-*';
    },
    /is of no data stream of ours/,
  ],
  'a dashboard without the link bar': [
    ({ dashboard }) => {
      panels(dashboard, (list) => {
        list.shift();
      });
    },
    /lacks the link bar/,
  ],
  'a dashboard without a description': [
    ({ dashboard }) => {
      dashboard.attributes.description = '';
    },
    /lacks a description/,
  ],
};

test('checkExport() finds nothing in our files', () => {
  assert.deepEqual(checkExport(bundleText('en')), []);
  assert.deepEqual(checkExport(bundleText('ru')), []);
});

test('checkExport() tells of a text that holds nothing', () => {
  assert.deepEqual(checkExport('\n'), [{ where: 'file', what: 'holds no saved object' }]);
});

test('checkExport() finds nothing in real exports', (t) => {
  const folder = join(corpusFolder(), 'kibana');
  if (!existsSync(folder)) return t.skip(`No exports in ${folder}: set LAUNCHBEAT_CORPUS`);
  for (const name of readdirSync(folder)) {
    assert.deepEqual(checkExport(readFileSync(join(folder, name), 'utf8')), [], name);
  }
});

test('the program prints each problem and ends with 1, with 2 for a file that is not there', () => {
  const program = fileURLToPath(new URL('main.ts', import.meta.url));
  const good = fileURLToPath(new URL('../../launchbeat.ndjson', import.meta.url));
  const run = (...files: string[]) =>
    spawnSync(process.execPath, [program, ...files], { encoding: 'utf8' });
  const fine = run(good);
  assert.equal(fine.status, 0, fine.stdout);
  assert.match(fine.stdout, /launchbeat\.ndjson: no problem\n$/);
  const bad = run(fileURLToPath(import.meta.url), good);
  assert.equal(bad.status, 1);
  assert.match(bad.stdout, /line 1: is not JSON/);
  assert.equal(run('no-such-file.ndjson').status, 2);
  assert.equal(run().status, 2);
});

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
