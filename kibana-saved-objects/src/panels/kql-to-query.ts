/**
 * Takes a query in KQL, gives the Elasticsearch query that Kibana makes of it (kbn-es-query, kuery/functions).
 * Keeps: keyword fields get term and wildcard queries, which mind case; text fields match words; any other wildcard goes through
 * query_string.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { fieldKind } from '../kql/field-kind.ts';
import { type KqlNode, type KqlValue, parseKql } from '../kql/parse-kql.ts';

export type EsQuery = Readonly<Record<string, unknown>>;

/** Kibana's escape for query_string and wildcard values; its character range `+-=` escapes digits too, which changes nothing. */
const escaped = (text: string): string => text.replace(/[+\-=&|><!(){}[\]^"~*?:\\/]/g, '\\$&');

const wildcardValue = (value: KqlValue): string => value.parts.map(escaped).join('*');

function isQuery(field: string, value: KqlValue, stream: StreamKey): EsQuery {
  const kind = fieldKind(field, stream);
  if (value.parts.length === 2 && value.text === '*') return { exists: { field } };
  if (value.parts.length > 1) {
    const query = wildcardValue(value);
    return kind === 'keyword'
      ? { wildcard: { [field]: { value: query } } }
      : { query_string: { fields: [field], query } };
  }
  if (kind === 'keyword') return { term: { [field]: { value: value.text } } };
  if (kind === 'date') return { range: { [field]: { gte: value.text, lte: value.text } } };
  return { [value.quoted ? 'match_phrase' : 'match']: { [field]: value.text } };
}

function nodeQuery(node: KqlNode, stream: StreamKey): EsQuery {
  const inner = (one: KqlNode): EsQuery => nodeQuery(one, stream);
  switch (node.type) {
    case 'and':
      return { bool: { filter: node.nodes.map(inner) } };
    case 'or':
      return { bool: { should: node.nodes.map(inner), minimum_should_match: 1 } };
    case 'not':
      return { bool: { must_not: inner(node.node) } };
    case 'nested':
      return { nested: { path: node.field.text, query: inner(node.node), score_mode: 'none' } };
    case 'range':
      return { range: { [node.field.text]: { [node.operator]: node.value.text } } };
    case 'is': {
      if (node.field !== undefined) return isQuery(node.field.text, node.value, stream);
      const type = node.value.quoted ? 'phrase' : 'best_fields';
      return { multi_match: { type, query: node.value.text, lenient: true } };
    }
  }
}

/** Throws on a query that does not parse: the checker would have told. */
export function kqlToQuery(text: string, stream: StreamKey = 'starts'): EsQuery {
  const outcome = parseKql(text);
  if (outcome.outcome === 'refused') throw new Error(`KQL "${text}": ${outcome.reason}`);
  return outcome.node === undefined ? { match_all: {} } : nodeQuery(outcome.node, stream);
}
