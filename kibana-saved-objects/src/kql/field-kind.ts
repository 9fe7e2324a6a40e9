/**
 * Takes a field's path, gives how Elasticsearch indexes it in one of our data streams, as Kibana sees it through the data view.
 */
import {
  type FieldType,
  STREAM_KEYS,
  STREAMS,
  type StreamKey,
  templateName,
} from '@launchbeat/ecs-schemas';

/** `keyword` holds constant_keyword as well; `text` cannot be aggregated. */
export type FieldKind =
  | 'keyword'
  | 'wildcard'
  | 'text'
  | 'date'
  | 'number'
  | 'boolean'
  | 'flattened';

const KINDS: Readonly<Record<FieldType, FieldKind>> = {
  date: 'date',
  keyword: 'keyword',
  constant_keyword: 'keyword',
  'wildcard+text': 'wildcard',
  long: 'number',
  boolean: 'boolean',
  match_only_text: 'text',
  flattened: 'flattened',
};

const TEXT_SUFFIX = '.text';

/** The kind of a field; undefined when the index template does not map it, so that nothing can be asked of it. */
export function fieldKind(path: string, stream: StreamKey = 'starts'): FieldKind | undefined {
  const { fields } = STREAMS[stream];
  const type = fields[path];
  if (type !== undefined) return KINDS[type];
  const isText =
    path.endsWith(TEXT_SUFFIX) && fields[path.slice(0, -TEXT_SUFFIX.length)]?.endsWith('+text');
  return isText ? 'text' : undefined;
}

/** The data stream that an index pattern is of, by its beginning; undefined = none of ours. */
export const streamOfPattern = (pattern: string): StreamKey | undefined =>
  STREAM_KEYS.find((key) => pattern.startsWith(`${templateName(key)}-`));
