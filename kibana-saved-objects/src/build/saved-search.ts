/**
 * Takes a query and columns, gives a saved search (Discover session) and the tag that our objects carry.
 * Keeps: only keys that the strictest reader (8.11) knows.
 */
import { kql, type SavedObject, savedObject, tagReference } from './saved-object.ts';

export interface SavedSearchParts {
  readonly id: string;
  readonly title: string;
  readonly description: string;
  readonly dataViewId: string;
  readonly tagId: string;
  readonly query: string;
  /** Field → width in pixels; `undefined` takes what is left. */
  readonly columns: readonly (readonly [field: string, width: number | undefined])[];
}

const INDEX_REF_NAME = 'kibanaSavedObjectMeta.searchSourceJSON.index';

export function savedSearch(parts: SavedSearchParts): SavedObject {
  const widths = parts.columns.flatMap(([field, width]) =>
    width === undefined ? [] : [[field, { width }] as const],
  );
  return savedObject('search', {
    id: parts.id,
    managed: true,
    attributes: {
      title: parts.title,
      description: parts.description,
      columns: parts.columns.map(([field]) => field),
      sort: [['@timestamp', 'desc']],
      grid: { columns: Object.fromEntries([['@timestamp', { width: 160 }], ...widths]) },
      // Lines per document: a command line needs two, and more events fit than with Kibana's three.
      rowHeight: 2,
      hideChart: false,
      isTextBasedQuery: false,
      timeRestore: false,
      kibanaSavedObjectMeta: {
        searchSourceJSON: JSON.stringify({
          highlightAll: true,
          version: true,
          query: kql(parts.query),
          filter: [],
          indexRefName: INDEX_REF_NAME,
        }),
      },
    },
    references: [
      { type: 'index-pattern', id: parts.dataViewId, name: INDEX_REF_NAME },
      tagReference(parts.tagId),
    ],
  });
}

/** The tag by which Kibana's lists find what belongs together. */
export function tag(parts: {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** `#RRGGBB`. */
  readonly color: string;
}): SavedObject {
  const { id, ...attributes } = parts;
  return savedObject('tag', { id, attributes, managed: false });
}
