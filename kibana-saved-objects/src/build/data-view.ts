/**
 * Takes an index pattern, labels and formats, gives a data view.
 * Keeps: maps are JSON strings inside the object, as Kibana stores them; no index need exist yet. Not managed, since an analyst
 * may add runtime fields to it.
 */
import { type SavedObject, savedObject } from './saved-object.ts';

/** How Kibana prints a field. */
export type FieldFormat =
  | { readonly kind: 'number'; readonly pattern: string }
  /** Pattern of moment.js. */
  | { readonly kind: 'date'; readonly pattern: string }
  /** Bytes, as a number with its unit. */
  | { readonly kind: 'bytes' }
  /** Milliseconds, as people say them. */
  | { readonly kind: 'duration' }
  /** A link; `{{value}}` of the template is the value, safe for a URL. Paths begin with `../app/`, which keeps the space. */
  | { readonly kind: 'url'; readonly template: string }
  /** Value → word; values that are not named are shown as they are. */
  | { readonly kind: 'lookup'; readonly words: Readonly<Record<string, string>> };

export interface DataViewParts {
  readonly id: string;
  readonly name: string;
  /** Index pattern, e.g. `logs-*`. */
  readonly title: string;
  /** Field → what Discover and Lens call it. */
  readonly labels: Readonly<Record<string, string>>;
  readonly formats: Readonly<Record<string, FieldFormat>>;
}

/** As Kibana's field editor stores a format (field_formats/common/converters). */
function storedFormat(format: FieldFormat): object {
  switch (format.kind) {
    case 'bytes':
      return { id: 'bytes', params: { pattern: '0,0.[0] b' } };
    case 'duration':
      return {
        id: 'duration',
        params: {
          inputFormat: 'milliseconds',
          outputFormat: 'humanizePrecise',
          outputPrecision: 1,
          includeSpaceWithSuffix: true,
          useShortSuffix: true,
        },
      };
    case 'url':
      return {
        id: 'url',
        params: {
          type: 'a',
          urlTemplate: format.template,
          // Without a label the address itself is shown, on axes too.
          labelTemplate: '{{value}}',
          openLinkInCurrentTab: false,
        },
      };
    case 'lookup':
      return {
        id: 'static_lookup',
        params: {
          lookupEntries: Object.entries(format.words).map(([key, value]) => ({ key, value })),
          unknownKeyValue: null,
        },
      };
    case 'number':
    case 'date':
      return { id: format.kind, params: { pattern: format.pattern } };
  }
}

const mapValues = <A, B>(map: Readonly<Record<string, A>>, change: (value: A) => B) =>
  Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value)]));

export function dataView(parts: DataViewParts): SavedObject {
  return savedObject('index-pattern', {
    id: parts.id,
    managed: false,
    attributes: {
      title: parts.title,
      name: parts.name,
      timeFieldName: '@timestamp',
      fields: '[]',
      fieldAttrs: JSON.stringify(mapValues(parts.labels, (customLabel) => ({ customLabel }))),
      fieldFormatMap: JSON.stringify(mapValues(parts.formats, storedFormat)),
      runtimeFieldMap: '{}',
      sourceFilters: '[]',
      allowNoIndex: true,
    },
  });
}
