/**
 * Goal: the parts of a panel that an import takes without a look are looked at: the state of a chart, links, drilldowns, words. Method:
 * our own file with one thing broken at a time; each must be told in words that name it.
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

/** Changes the visualization of the first chart of a kind. */
const look =
  (type: string, change: (visualization: Loose) => void) =>
  ({ chart }: OpenedExport): void =>
    change(chart(type).state.visualization);

/** Changes the insides of the first panel of a type. */
const inside =
  (type: string, change: (config: Loose) => void) =>
  ({ dashboard }: OpenedExport): void =>
    panels(dashboard, (list) => change(list.find((one) => one.type === type).embeddableConfig));

/** Changes the first drilldown of the dashboard. */
const drilldown =
  (change: (event: Loose) => void) =>
  ({ dashboard }: OpenedExport): void =>
    panels(dashboard, (list) => {
      const events = list.map((one) => one.embeddableConfig.enhancements?.dynamicActions?.events);
      change(events.find((one) => one !== undefined)[0]);
    });

const CHARTS: Readonly<Record<string, Mutation>> = {
  'a series type that is none': [
    look('lnsXY', ({ layers }) => {
      layers[0].seriesType = 'bars';
    }),
    /seriesType: must be one of bar/,
  ],
  'bars without a figure': [
    look('lnsXY', ({ layers }) => {
      delete layers[0].accessors;
    }),
    /lacks accessors/,
  ],
  'bars that are no longer divided': [
    look('lnsXY', ({ layers }) => {
      delete layers[0].splitAccessor;
    }),
    /leaves out column/,
  ],
  'a chart without a legend': [
    look('lnsXY', (xy) => {
      delete xy.legend;
    }),
    /lacks legend/,
  ],
  'a layer of no type': [
    look('lnsMetric', (metric) => {
      delete metric.layerType;
    }),
    /lacks layerType/,
  ],
  'a colour by its name': [
    look('lnsMetric', (metric) => {
      metric.color = 'green';
    }),
    /must be a colour like/,
  ],
  'a colour for a figure that is not there': [
    ({ objects }) => {
      const dashboard = objects.find(({ id }) => id === 'launchbeat-dashboard-health');
      panels(dashboard, (list) => {
        const charts = list.map((one) => one.embeddableConfig.attributes?.state?.visualization);
        const layer = charts.map((one) => one?.layers?.[0]).find((one) => one?.yConfig);
        layer.yConfig[0].forAccessor = 'x';
      });
    },
    /colours column x, which is none of its figures/,
  ],
  'a pie of another shape': [
    look('lnsPie', (pie) => {
      pie.shape = 'cake';
    }),
    /shape: must be one of pie, donut/,
  ],
  'a table with pages of no rows': [
    look('lnsDatatable', (table) => {
      table.paging.size = 0;
    }),
    /paging\.size: must be a number above 0/,
  ],
  'a table sorted in no direction': [
    ({ objects }) => {
      const dashboard = objects.find(({ id }) => id === 'launchbeat-dashboard-watched');
      panels(dashboard, (list) => {
        const charts = list.map((one) => one.embeddableConfig.attributes?.state?.visualization);
        charts.find((one) => one?.sorting !== undefined).sorting.direction = 'down';
      });
    },
    /sorting\.direction: must be one of asc, desc/,
  ],
  'a heat map without its grid': [
    look('lnsHeatmap', (map) => {
      delete map.gridConfig;
    }),
    /lacks gridConfig/,
  ],
  'a last value by a field that is no date': [
    ({ objects }) => {
      const dashboard = objects.find(({ id }) => id === 'launchbeat-dashboard-health');
      panels(dashboard, (list) => {
        const charts = list.map((one) => one.embeddableConfig.attributes);
        const last = charts.filter((one) => one?.state).map((one) => columnOf(one, 'last_value'));
        last.find((one) => one !== undefined).params.sortField = 'host.name';
      });
    },
    /the last value by host\.name, which is no date/,
  ],
  'a figure in a format that there is not': [
    ({ chart }) => {
      columnOf(chart('lnsXY'), 'count').params.format = { id: 'roman' };
    },
    /format\.id: must be one of number/,
  ],
  'a chart without its query': [
    ({ chart }) => {
      delete chart('lnsXY').state.query;
    },
    /state: lacks query/,
  ],
  'a chart without filters': [
    ({ chart }) => {
      chart('lnsXY').state.filters = null;
    },
    /filters: must be a list/,
  ],
  'a figure of a type that is none': [
    ({ chart }) => {
      delete columnOf(chart('lnsXY'), 'count').dataType;
    },
    /lacks dataType/,
  ],
  'groups without parameters': [
    ({ chart }) => {
      delete columnOf(chart('lnsXY'), 'date_histogram').params;
    },
    /date_histogram lacks params/,
  ],
  'a filter of a figure that is only text': [
    ({ chart }) => {
      columnOf(chart('lnsMetric'), 'count').filter = 'launchbeat.launch : true';
    },
    /filter: must be an object/,
  ],
  'named questions without one': [
    ({ chart }) => {
      columnOf(chart('lnsPie'), 'filters').params.filters = [];
    },
    /params\.filters: must not be empty/,
  ],
  'a chart that takes no notice of controls': [
    ({ chart }) => {
      layerOf(chart('lnsXY')).ignoreGlobalFilters = true;
    },
    /takes no notice of controls and filters/,
  ],
  'a chart of a sample': [
    ({ chart }) => {
      layerOf(chart('lnsXY')).sampling = 0.1;
    },
    /counts a sample only/,
  ],
};

const THE_REST: Readonly<Record<string, Mutation>> = {
  'a link that forgets the filters': [
    inside('links', ({ attributes }) => {
      attributes.links[0].options.useCurrentFilters = false;
    }),
    /the link "Watched programs" does not keep it all: useCurrentFilters/,
  ],
  'a link that forgets the time': [
    inside('links', ({ attributes }) => {
      delete attributes.links[1].options;
    }),
    /the link "People and PCs" does not keep it all: useCurrentDateRange/,
  ],
  'a link without a label': [
    inside('links', ({ attributes }) => {
      attributes.links[0].label = '';
    }),
    /link without a label/,
  ],
  'a dashboard that no longer leads to a sister': [
    ({ dashboard }) => {
      let gone = '';
      panels(dashboard, (list) => {
        const bar = list.find(({ type }) => type === 'links');
        gone = `${bar.panelIndex}:${bar.embeddableConfig.attributes.links.pop().destinationRefName}`;
      });
      dashboard.references = dashboard.references.filter(({ name }: Loose) => name !== gone);
    },
    /has no link to launchbeat-dashboard-health/,
  ],
  'a drilldown that forgets the filters': [
    drilldown(({ action }) => {
      action.config.useCurrentFilters = false;
    }),
    /the drilldown ".*" does not keep it all: useCurrentFilters/,
  ],
  'a drilldown that nothing opens': [
    drilldown((event) => {
      event.triggers = [];
    }),
    /is opened by no click on a value/,
  ],
  'words that are none': [
    inside('visualization', ({ savedVis }) => {
      savedVis.params.markdown = ' ';
    }),
    /has no words/,
  ],
  'words without the search source that Kibana asks them for': [
    inside('visualization', ({ savedVis }) => {
      delete savedVis.data;
    }),
    /savedVis: lacks data/,
  ],
  'a control without a title': [
    ({ dashboard }) =>
      control(dashboard, (one) => {
        one.explicitInput.title = '';
      }),
    /lacks a title/,
  ],
  'a dashboard without its query': [
    ({ dashboard }) => {
      delete dashboard.attributes.kibanaSavedObjectMeta;
    },
    /lacks its query/,
  ],
  'a dashboard that anybody may change': [
    ({ dashboard }) => {
      dashboard.managed = false;
    },
    /managed must be true for this type/,
  ],
  'a data view that nobody may add to': [
    ({ dataView }) => {
      dataView.managed = true;
    },
    /managed must be false for this type/,
  ],
  'a data view that needs an index first': [
    ({ dataView }) => {
      dataView.attributes.allowNoIndex = false;
    },
    /allowNoIndex must be true/,
  ],
  'a word for no value': [
    ({ dataView }) =>
      within(dataView.attributes, 'fieldFormatMap', (map) => {
        delete map['launchbeat.flags'].params.lookupEntries[0].key;
      }),
    /lookup with a value or a word that is empty/,
  ],
  'a search in KQL that says it is ES|QL': [
    ({ search }) => {
      search.attributes.isTextBasedQuery = true;
    },
    /isTextBasedQuery is for ES\|QL/,
  ],
  'a search sorted in no direction': [
    ({ search }) => {
      search.attributes.sort = [['@timestamp', 'newest']];
    },
    /sort of @timestamp must be asc or desc/,
  ],
  'a tag in a colour by its name': [
    ({ objects }) => {
      objects.find(({ type }) => type === 'tag').attributes.color = 'teal';
    },
    /color: must be a colour like/,
  ],
};

describe('checkExport() tells of', () => {
  for (const [name, [change, told]] of Object.entries({ ...CHARTS, ...THE_REST })) {
    test(name, () => {
      const problems = checkExport(broken(change)).map(({ where, what }) => `${where}: ${what}`);
      assert.ok(
        problems.some((problem) => told.test(problem)),
        `wanted ${told}, found:\n${problems.join('\n')}`,
      );
    });
  }
});
