/** Goal: the committed files are the sources'. Method: build them again and compare; ask the agent's source for its flags. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { FACT_KINDS } from '@launchbeat/ecs-schemas';
import { BUNDLE_FILES, bundleObjects, bundleText } from './bundle.ts';
import { factWords } from './dashboards/health-data-view.ts';
import { FLAGS } from './dashboards/questions.ts';

const beside = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');

for (const language of ['en', 'ru'] as const) {
  const file = BUNDLE_FILES[language];

  test(`${file} is what the sources give`, () => {
    assert.equal(
      beside(`../${file}`),
      bundleText(language),
      'run: node kibana-saved-objects/src/write-bundle.ts',
    );
  });
}

test('both languages hold the same objects under ids of their own', () => {
  const [en, ru] = [bundleObjects('en'), bundleObjects('ru')];
  assert.deepEqual(
    ru.map(({ type, id }) => `${type} ${id}`),
    en.map(({ type, id }) => `${type} ${id}-ru`),
  );
});

test('no English word is left in a Russian title or description', () => {
  for (const { type, attributes } of bundleObjects('ru')) {
    if (type === 'tag' || type === 'index-pattern') continue;
    for (const key of ['title', 'description']) {
      assert.match(String(attributes[key]), /[а-яё]/i, `${type}: ${String(attributes[key])}`);
    }
  }
});

test('every kind of fact that is known has words of its own', () => {
  const kinds = new Set(Object.keys(factWords((en) => en)));
  assert.deepEqual(
    FACT_KINDS.filter((kind) => !kinds.has(kind)),
    [],
  );
});

test('the flags that panels ask for are the flags that the agent sets', () => {
  const source = beside('../../agent/src/map/flags.ts');
  const set = [...source.matchAll(/\bflag: '(\w+)'/g)].map(([, flag]) => flag);
  assert.deepEqual([...FLAGS].sort(), set.sort());
});
