/**
 * Takes queries in KQL, tells which Kibana could not parse and which would find nothing or break on our data.
 */
import type { StreamKey } from '@launchbeat/ecs-schemas';
import { type FieldKind, fieldKind } from '../kql/field-kind.ts';
import { conditionsOf, type KqlNode, type KqlValue, parseKql } from '../kql/parse-kql.ts';
import { objectOf, textOf } from './json.ts';
import type { Report } from './problem.ts';

type Condition = ReturnType<typeof conditionsOf>[number];

const NUMBER = /^-?\d+(\.\d+)?$/;

/** What is wrong with a value that is asked for; undefined = nothing. */
function valueFault(field: string, kind: FieldKind, value: KqlValue): string | undefined {
  const isExists = value.parts.length === 2 && value.text === '*';
  if (isExists) return undefined;
  if (value.parts.length > 1) {
    if (kind === 'number' || kind === 'date' || kind === 'boolean')
      return `field ${field} is a ${kind}: it takes no wildcard`;
    return kind !== 'keyword' && /\s/.test(value.text)
      ? `field ${field} is a ${kind}: Kibana splits a wildcard value at its spaces, and each part matches alone`
      : undefined;
  }
  if (kind === 'number' && !NUMBER.test(value.text)) return `field ${field} takes numbers`;
  return kind === 'boolean' && !/^(true|false)$/.test(value.text)
    ? `field ${field} takes true or false`
    : undefined;
}

/** What is wrong with one condition on our data; undefined = nothing. */
function faultOf(condition: Condition, stream: StreamKey): string | undefined {
  if (condition.field === undefined) return 'names no field: it would search all of them';
  // A pattern of field names finds what there is.
  if (condition.field.parts.length > 1) return undefined;
  const field = condition.field.text;
  const kind = fieldKind(field, stream);
  if (kind === undefined) return `field ${field} is not indexed`;
  if (condition.type === 'is') return valueFault(field, kind, condition.value);
  return kind === 'number' || kind === 'date'
    ? undefined
    : `field ${field} is a ${kind}: "less" and "greater" compare texts`;
}

function checkTree(node: KqlNode, stream: StreamKey, where: string, report: Report): void {
  for (const fault of new Set(conditionsOf(node).map((one) => faultOf(one, stream)))) {
    if (fault !== undefined) report(where, fault);
  }
}

/** `stream`: the data stream of ours that the query is asked of, so that its fields are known. */
export function checkQuery(
  query: unknown,
  stream: StreamKey | undefined,
  where: string,
  report: Report,
): void {
  const { query: text, language } = objectOf(query);
  if (language !== 'kuery') return;
  const outcome = parseKql(textOf(text));
  if (outcome.outcome === 'refused') report(where, `KQL: ${outcome.reason}`);
  else if (stream !== undefined && outcome.node !== undefined)
    checkTree(outcome.node, stream, where, report);
}
