/**
 * Takes words, links and saved searches, gives the panels that are not charts.
 * Keeps: the link bar carries time range, query and filters along; it stands by value, since Kibana 8.11 (links: technical
 * preview, 8.14 for good) reads that form and 9.x turns it into its own.
 */
import type { Panel } from './panel.ts';
import { kql, stableId } from './saved-object.ts';

/** Words in Markdown. */
export function markdown(parts: { readonly name: string; readonly markdown: string }): Panel {
  return {
    name: parts.name,
    type: 'visualization',
    title: '',
    embeddableConfig: {
      hidePanelTitles: true,
      savedVis: {
        title: '',
        description: '',
        type: 'markdown',
        params: { fontSize: 12, openLinksInNewTab: true, markdown: parts.markdown },
        uiState: {},
        data: { aggs: [], searchSource: { query: kql(''), filter: [] } },
      },
    },
    references: [],
  };
}

/** A dashboard that the link bar leads to. */
export interface LinkTarget {
  readonly dashboardId: string;
  readonly label: string;
}

/** The bar of links to the sister dashboards, keeping filters and time range. */
export function links(parts: {
  readonly name: string;
  readonly targets: readonly LinkTarget[];
}): Panel {
  const entries = parts.targets.map((target, order) => {
    const id = stableId(parts.name, 'link', target.dashboardId);
    return { id, order, target, refName: `link_${id}_dashboard` };
  });
  return {
    name: parts.name,
    type: 'links',
    title: '',
    embeddableConfig: {
      hidePanelTitles: true,
      attributes: {
        layout: 'horizontal',
        links: entries.map((entry) => ({
          type: 'dashboardLink',
          id: entry.id,
          order: entry.order,
          label: entry.target.label,
          destinationRefName: entry.refName,
          options: { openInNewTab: false, useCurrentFilters: true, useCurrentDateRange: true },
        })),
      },
    },
    references: entries.map((entry) => ({
      type: 'dashboard',
      id: entry.target.dashboardId,
      name: entry.refName,
    })),
  };
}

/** A saved search as a table of documents. By reference: searches by value need Kibana 8.15. */
export function searchPanel(parts: {
  readonly name: string;
  readonly title: string;
  readonly searchId: string;
}): Panel {
  return {
    name: parts.name,
    type: 'search',
    title: parts.title,
    embeddableConfig: { hidePanelTitles: false },
    references: [{ type: 'search', id: parts.searchId, name: 'search' }],
    byReference: true,
  };
}
