/** Goal: PostgreSQL reads back what was written. Method: any text, in any company, through a real PostgreSQL. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { testDatabase } from '../../../tests/support/postgres.ts';
import { textArray } from './array-literal.ts';
import { openDatabase } from './database.ts';
import { storableText } from './storable-text.ts';

const TRICKY = [
  '',
  'null',
  'NULL',
  '{}',
  ',',
  '"',
  '\\',
  '\\n',
  '\n',
  '\t\\"',
  '\x01',
  '\x7f',
  ' ',
  'Юля',
  '😀',
];

test('textArray() is read by PostgreSQL as the values that it was made of', async (t) => {
  const sql = openDatabase({ url: (await testDatabase(t)).url });
  t.after(() => sql.end({ timeout: 1 }));
  const readBack = async (values: readonly (string | null)[]): Promise<unknown> => {
    const rows = await sql<{ value: string | null }[]>`
      select value from unnest(${textArray(values)}::text[]) with ordinality as given (value, at) order by at`;
    return rows.map((row) => row.value);
  };
  assert.deepEqual(await readBack([]), []);
  assert.deepEqual(await readBack([...TRICKY, null]), [...TRICKY, null]);
  // Each alone: one control character in the company sends all of them the slow way.
  for (const value of TRICKY) assert.deepEqual(await readBack([value, null]), [value, null]);
  const anyValue = fc.oneof(
    fc.string({ unit: 'binary' }).map(storableText),
    fc.constantFrom(...TRICKY),
    fc.constant(null),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(anyValue, { maxLength: 8 }), async (values) => {
      assert.deepEqual(await readBack(values), values);
    }),
    { numRuns: 300 },
  );
});
