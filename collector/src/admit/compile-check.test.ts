/**
 * Goal: the quick test says yes only where the schema does, and does say yes to what agents send. Method: hold both against each
 * other on good documents and on ones that chance has bent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { processStartSchema } from '@launchbeat/ecs-schemas';
import fc from 'fast-check';
import { z } from 'zod';
import { processStart } from '../../../tests/support/documents.ts';
import { compileCheck } from './compile-check.ts';

const check = compileCheck(processStartSchema);

test('compileCheck() takes a document as agents send it', () => {
  assert.ok(check(JSON.parse(JSON.stringify(processStart()))));
  assert.ok(check(JSON.parse(JSON.stringify(processStart({ unknown: { kept: [1] } })))));
});

test('compileCheck() refuses an id that does not belong to the time', () => {
  assert.ok(!check(processStart({ event: { id: processStart().event.id } })));
});

/** Paths of all values of a document, leaves and branches. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const below =
    typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, part]) => pathsOf(part, [...path, name]))
      : [];
  return path.length === 0 ? below : [path, ...below];
}

const GOOD = processStart();
const PATHS = pathsOf(GOOD);
const ANY = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, '', 0, -1, 1.5, 2 ** 53, true, 'x', [], {}, ['x']),
  fc.constantFrom<unknown>('logs', 'success', '2026-11-23T11:03:27Z', '2026-13-45T00:00:00Z'),
  fc.json().map((text) => JSON.parse(text) as unknown),
);

function bent(path: readonly string[], value: unknown): unknown {
  const copy = JSON.parse(JSON.stringify(GOOD)) as Record<string, unknown>;
  let at = copy;
  for (const name of path.slice(0, -1)) at = at[name] as Record<string, unknown>;
  const last = path.at(-1) ?? '';
  if (value === undefined) delete at[last];
  else at[last] = value;
  return copy;
}

test('compileCheck() and the schema agree on documents that chance has bent', () => {
  let refused = 0;
  fc.assert(
    fc.property(fc.constantFrom(...PATHS), ANY, (path, value) => {
      const document = bent(path, value);
      const parsed = processStartSchema.safeParse(document);
      const quick = check(document);
      assert.equal(quick, parsed.success, `${path.join('.')} = ${JSON.stringify(value)}`);
      if (quick) assert.deepEqual(parsed.data, document);
      else refused += 1;
    }),
    { numRuns: 5_000 },
  );
  assert.ok(refused > 1_000);
});

test('compileCheck() asks the schema where it does not know it', () => {
  const union = compileCheck(z.union([z.string(), z.int()]));
  assert.deepEqual([union('x'), union(1), union(1.5)], [true, true, false]);
  const long = compileCheck(z.string().min(3));
  assert.deepEqual([long('abc'), long('ab')], [true, false]);
  const strict = compileCheck(z.strictObject({ a: z.string() }));
  assert.deepEqual([strict({ a: 'x' }), strict({ a: 'x', b: 1 })], [true, false]);
});

test('compileCheck() leaves a record with the key __proto__ to the schema', () => {
  const record = compileCheck(z.record(z.string(), z.string()));
  assert.ok(!record(JSON.parse('{"__proto__":"x"}')));
  assert.ok(record({ a: 'x' }));
});
