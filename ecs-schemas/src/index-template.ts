/**
 * Takes the field table of a data stream, gives its composable index template in one of two builds:
 * `ecs` with ECS's own types (Elastic's distribution), `core` for builds without the x-pack mapper modules.
 * Keeps: both builds map the same fields; retention is the data stream lifecycle's, never ILM's (not every build has ILM).
 */
import type { FieldType } from './fields.ts';
import { DATA_STREAM_TYPE } from './process-start.ts';
import { STREAMS, type StreamKey, type StreamParts, templateName } from './streams.ts';

export type TemplateBuild = 'ecs' | 'core';

export interface TemplateOptions {
  readonly build: TemplateBuild;
  /** Data stream lifecycle retention, e.g. `90d`; absent = kept for ever. */
  readonly retention?: string;
  /** Default: the process starts. */
  readonly stream?: StreamKey;
}

/** Above Fleet's `logs-*-*` (100) and `logs-system.security-*` (200). */
export const TEMPLATE_PRIORITY = 500;

/** Lucene refuses terms over 32,766 bytes; a UTF-16 unit takes at most 3 bytes of UTF-8. */
const KEYWORD_UNITS_MAX = 1024;
const COMMAND_LINE_UNITS_MAX = 8191;

type Mapping = { readonly [key: string]: unknown };

function mappingOf(type: FieldType, build: TemplateBuild, constant: string | undefined): Mapping {
  const keyword = { type: 'keyword', ignore_above: KEYWORD_UNITS_MAX };
  switch (type) {
    case 'date':
    case 'long':
    case 'boolean':
      return { type };
    case 'keyword':
      return keyword;
    case 'constant_keyword':
      return build === 'core'
        ? keyword
        : { type, ...(constant === undefined ? {} : { value: constant }) };
    case 'flattened':
      return { type, ignore_above: KEYWORD_UNITS_MAX };
    case 'match_only_text':
      return { type: build === 'core' ? 'text' : type };
    case 'wildcard+text':
      return build === 'core'
        ? {
            type: 'keyword',
            ignore_above: COMMAND_LINE_UNITS_MAX,
            fields: { text: { type: 'text', norms: false } },
          }
        : { type: 'wildcard', fields: { text: { type: 'match_only_text' } } };
  }
}

type Properties = { [name: string]: { properties: Properties } | Mapping };

/** Nests the flat field table into a mapping's `properties`. */
function properties({ fields, dataset }: StreamParts, build: TemplateBuild): Properties {
  const constants: Readonly<Record<string, string>> = {
    'data_stream.type': DATA_STREAM_TYPE,
    'data_stream.dataset': dataset,
  };
  const root: Properties = {};
  for (const [path, type] of Object.entries(fields)) {
    const names = path.split('.');
    const leaf = names.pop() ?? path;
    let level = root;
    for (const name of names) {
      level[name] ??= { properties: {} };
      level = (level[name] as { properties: Properties }).properties;
    }
    level[leaf] = mappingOf(type, build, constants[path]);
  }
  return root;
}

/** The body of `PUT _index_template/<templateName(stream)>`. */
export function indexTemplate(options: TemplateOptions): Mapping {
  const stream = STREAMS[options.stream ?? 'starts'];
  return {
    index_patterns: [`${templateName(options.stream)}-*`],
    priority: TEMPLATE_PRIORITY,
    version: stream.version,
    data_stream: {},
    _meta: { managed_by: 'launchbeat', build: options.build },
    template: {
      settings: {
        index: {
          number_of_shards: 1,
          auto_expand_replicas: '0-1',
          refresh_interval: '5s',
          mapping: { ignore_malformed: true },
          query: { default_field: [...stream.defaultFields] },
        },
      },
      mappings: {
        dynamic: false,
        date_detection: false,
        properties: properties(stream, options.build),
      },
      ...(options.retention === undefined
        ? {}
        : { lifecycle: { data_retention: options.retention } }),
    },
  };
}
