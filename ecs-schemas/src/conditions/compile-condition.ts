/**
 * Takes a condition, gives a function that tells whether a document fits it.
 * Keeps: time linear in the document's texts; a field that is absent fits nothing (so `not` fits it); case counts.
 * Source: Elastic, "Define processors", section Conditions.
 */
import type { Condition, RangeLimits, Scalar } from './condition-schema.ts';
import { fieldValue } from './field-value.ts';
import { linearPattern } from './linear-pattern.ts';
import { parseAddress, parseNetwork } from './network-range.ts';

export type DocumentTest = (document: object) => boolean;

type ValueTest = (value: unknown) => boolean;

/** A number and the text of it are equal: `winlog.event_id` is a text in documents, and people write a number. */
const isEqual = (value: unknown, wanted: Scalar): boolean =>
  value === wanted ||
  (['string', 'number', 'boolean'].includes(typeof value) && String(value) === String(wanted));

const numberOf = (value: unknown): number =>
  typeof value === 'string' && value.trim() !== '' ? Number(value) : Number(value ?? Number.NaN);

const rangeTest =
  ({ lt, lte, gt, gte }: RangeLimits): ValueTest =>
  (value) => {
    if (typeof value !== 'number' && typeof value !== 'string') return false;
    const number = numberOf(value);
    return (
      !Number.isNaN(number) &&
      (lt === undefined || number < lt) &&
      (lte === undefined || number <= lte) &&
      (gt === undefined || number > gt) &&
      (gte === undefined || number >= gte)
    );
  };

/** A test of one value holds for a list when it holds for one of it. */
const anyOf =
  (test: ValueTest): ValueTest =>
  (value) =>
    Array.isArray(value) ? value.some((one) => test(one)) : test(value);

function regexpTest(source: string): ValueTest {
  const compiled = linearPattern(source);
  if (compiled.outcome === 'refused') throw new Error(compiled.reason);
  return (value) =>
    (typeof value === 'string' || typeof value === 'number') &&
    compiled.pattern.test(String(value));
}

function networkTest(names: readonly string[]): ValueTest {
  const networks = names.flatMap((name) => parseNetwork(name) ?? []);
  return (value) => {
    const address = typeof value === 'string' ? parseAddress(value) : undefined;
    return address !== undefined && networks.some((network) => network(address));
  };
}

/** All fields must fit; a list fits where one of its values does. */
function allFields<Value>(
  fields: ReadonlyMap<string, Value>,
  testOf: (wanted: Value) => ValueTest,
): DocumentTest {
  const tests = [...fields].map(
    ([field, wanted]) => [field.split('.'), anyOf(testOf(wanted))] as const,
  );
  return (document) => tests.every(([path, test]) => test(fieldValue(document, path)));
}

/** Makes the test of a condition. */
export function compileCondition(condition: Condition): DocumentTest {
  switch (condition.kind) {
    case 'equals':
      return allFields(condition.fields, (wanted) => (value) => isEqual(value, wanted));
    case 'contains':
      return allFields(
        condition.fields,
        (wanted) => (value) => typeof value === 'string' && value.includes(wanted),
      );
    case 'regexp':
      return allFields(condition.fields, regexpTest);
    case 'range':
      return allFields(condition.fields, rangeTest);
    case 'network':
      return allFields(condition.fields, networkTest);
    case 'has_fields': {
      const paths = condition.names.map((name) => name.split('.'));
      return (document) => paths.every((path) => fieldValue(document, path) !== undefined);
    }
    case 'and': {
      const tests = condition.conditions.map(compileCondition);
      return (document) => tests.every((test) => test(document));
    }
    case 'or': {
      const tests = condition.conditions.map(compileCondition);
      return (document) => tests.some((test) => test(document));
    }
    case 'not': {
      const test = compileCondition(condition.condition);
      return (document) => !test(document);
    }
  }
}
