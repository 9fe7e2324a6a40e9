/** Goal: nesting is judged without parsing. Method: texts at the border, strings that look like nesting, and the parser as judge. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hasMoreBrackets, isDeeperThan } from './json-depth.ts';

const deeper = (text: string, depthMax: number): boolean =>
  isDeeperThan(Buffer.from(text), depthMax);

for (const [text, depthMax, want] of [
  ['1', 0, false],
  ['{}', 1, false],
  ['{}', 0, true],
  ['[[1],[2]]', 2, false],
  ['[[1],[[2]]]', 2, true],
  ['{"a":"[[[["}', 1, false],
  ['{"a":"\\"[[["}', 1, false],
  ['{"a\\\\":[1]}', 1, true],
  ['"[[[', 0, false],
] as const) {
  test(`isDeeperThan(${text}, ${depthMax}) is ${want}`, () =>
    assert.equal(deeper(text, depthMax), want));
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  return 1 + Math.max(0, ...Object.values(value).map(depthOf));
}

test('isDeeperThan() agrees with the parser on any JSON', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (text, depthMax) => {
      assert.equal(deeper(text, depthMax), depthOf(JSON.parse(text)) > depthMax);
    }),
  );
});

test('a text without more brackets than the limit is never too deep', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), fc.integer({ min: 0, max: 7 }), (text, depthMax) => {
      const brackets = [...text].filter((character) => '{['.includes(character)).length;
      assert.equal(hasMoreBrackets(text, depthMax), brackets > depthMax);
      if (!hasMoreBrackets(text, depthMax)) assert.ok(!deeper(text, depthMax));
    }),
  );
});
