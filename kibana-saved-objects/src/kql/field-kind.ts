/**
 * Takes a field's path, gives how Elasticsearch indexes it in our data stream, as Kibana sees it through the data view.
 */
import { FIELDS, type FieldType } from '@launchbeat/ecs-schemas';

/** `keyword` holds constant_keyword as well; `text` cannot be aggregated. */
export type FieldKind = 'keyword' | 'wildcard' | 'text' | 'date' | 'number' | 'boolean';

const KINDS: Readonly<Record<FieldType, FieldKind>> = {
  date: 'date',
  keyword: 'keyword',
  constant_keyword: 'keyword',
  'wildcard+text': 'wildcard',
  long: 'number',
  boolean: 'boolean',
  match_only_text: 'text',
};

const TEXT_SUFFIX = '.text';

/** The kind of a field; undefined when the index template does not map it, so that nothing can be asked of it. */
export function fieldKind(path: string): FieldKind | undefined {
  const type = FIELDS[path];
  if (type !== undefined) return KINDS[type];
  const isText =
    path.endsWith(TEXT_SUFFIX) && FIELDS[path.slice(0, -TEXT_SUFFIX.length)]?.endsWith('+text');
  return isText ? 'text' : undefined;
}
