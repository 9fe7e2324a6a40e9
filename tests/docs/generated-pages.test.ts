/** Goal: the generated pages say what the code does. Method: write each anew and compare. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { GENERATED_PAGES } from './generated-pages.ts';

for (const [file, page] of Object.entries(GENERATED_PAGES)) {
  test(`${file} is what \`make docs\` writes`, () => {
    assert.equal(readFileSync(file, 'utf8'), page());
  });
}
