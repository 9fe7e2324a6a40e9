/**
 * Goal: the house stays one that people want to live in. Method: read the sources as text and hold them against tests/layers.ts
 * and a few rules on names, sizes and links. Each rule names the file and what to do.
 */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { test } from 'node:test';
import { LAYERS } from './layers.ts';

const IMPORT = /^\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s)?['"](?<specifier>[^'"]+)['"]/gm;
const SCOPE = '@launchbeat/';
const PACKAGES = '{agent,collector,ecs-schemas,kibana-saved-objects}';
const SOURCE_LINES_MAX = 300;
const TEST_LINES_MAX = 500;
const BANNED_NAMES =
  /(^|\/)(utils?|helpers?|common|lib|misc|types|constants|interfaces|manager|service|handler)\.ts$/;

const notInstalled = (path: string): boolean => !path.includes('node_modules/');
const files = (pattern: string): string[] => globSync(pattern).filter(notInstalled).sort();
const isTest = (file: string): boolean => file.endsWith('.test.ts');
const sources = files(`${PACKAGES}/src/**/*.ts`).filter((file) => !isTest(file));

/** The row that a source file belongs to: its own folder's, or the nearest one above. */
function layerOf(path: string): string {
  let folder = dirname(path);
  while (folder !== '.' && !(folder in LAYERS)) folder = dirname(folder);
  return folder;
}

/** Names what an import reaches the way LAYERS names it: a layer, a package or a node: module. */
function targetOf(file: string, specifier: string): string {
  if (specifier.startsWith('.')) return layerOf(join(dirname(file), specifier));
  if (specifier.startsWith(SCOPE)) {
    const [name, ...rest] = specifier.slice(SCOPE.length).split('/');
    return [`${name}/src`, ...rest].join('/');
  }
  if (specifier.startsWith('node:')) return specifier;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

const allows = (rule: string, target: string): boolean =>
  rule.endsWith('*') ? target.startsWith(rule.slice(0, -1)) : rule === target;

function importsOf(file: string): string[] {
  return [...readFileSync(file, 'utf8').matchAll(IMPORT)].map(
    (match) => match.groups?.['specifier'] ?? '',
  );
}

test('every import is one that LAYERS allows', () => {
  const wrong: string[] = [];
  for (const file of sources) {
    const layer = layerOf(file);
    for (const specifier of importsOf(file)) {
      const target = targetOf(file, specifier);
      if (target !== layer && !(LAYERS[layer] ?? []).some((rule) => allows(rule, target))) {
        wrong.push(`${file}: ${layer} may not import ${target}`);
      }
    }
  }
  assert.deepEqual(wrong, []);
});

test('every stage folder has a row in LAYERS', () => {
  const folders = files('{agent,collector}/src/*/**/*.ts').map((file) =>
    file.split('/').slice(0, 3).join('/'),
  );
  assert.deepEqual(
    [...new Set(folders)].filter((folder) => !(folder in LAYERS)),
    [],
  );
});

test('every row of LAYERS is a folder that exists', () => {
  assert.deepEqual(
    Object.keys(LAYERS).filter((folder) => !existsSync(folder)),
    [],
  );
});

test('each third-party library is imported by one stage only', () => {
  const everywhere = new Set(['zod', 'commander']);
  const stages = new Map<string, Set<string>>();
  for (const file of sources) {
    for (const specifier of importsOf(file)) {
      const target = targetOf(file, specifier);
      if (target.includes('/src') || target.startsWith('node:') || everywhere.has(target)) continue;
      stages.set(target, (stages.get(target) ?? new Set()).add(layerOf(file)));
    }
  }
  /** hono: a middleware in admit, the routes in app.ts. postgres: commit makes the client, fleet takes its type. */
  const shared: Readonly<Record<string, readonly string[]>> = {
    hono: ['collector/src', 'collector/src/admit'],
    postgres: ['collector/src/commit', 'collector/src/fleet'],
  };
  const wrong = [...stages]
    .filter(
      ([library, layers]) =>
        layers.size > 1 && JSON.stringify([...layers].sort()) !== JSON.stringify(shared[library]),
    )
    .map(([library, layers]) => `${library}: imported by ${[...layers].join(', ')}`);
  assert.deepEqual(wrong, []);
});

test('every declared dependency is imported, and every imported library is declared', () => {
  const wrong: string[] = [];
  for (const name of ['agent', 'collector', 'ecs-schemas', 'kibana-saved-objects']) {
    const manifest = JSON.parse(readFileSync(`${name}/package.json`, 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const declared = Object.keys(manifest.dependencies ?? {});
    const imported = new Set(
      sources
        .filter((file) => file.startsWith(`${name}/`))
        .flatMap((file) =>
          importsOf(file).map((specifier) =>
            specifier
              .split('/')
              .slice(0, specifier.startsWith('@') ? 2 : 1)
              .join('/'),
          ),
        )
        .filter((target) => !target.startsWith('.') && !target.startsWith('node:')),
    );
    wrong.push(
      ...declared
        .filter((library) => !imported.has(library))
        .map((library) => `${name}: ${library} is declared but not imported`),
    );
    wrong.push(
      ...[...imported]
        .filter((library) => !declared.includes(library))
        .map((library) => `${name}: ${library} is imported but not declared`),
    );
  }
  assert.deepEqual(wrong, []);
});

test('files are short, and named for what they hold', () => {
  const wrong: string[] = [];
  for (const file of [
    ...files(`${PACKAGES}/src/**/*.ts`),
    ...files('{tests,bench,docker}/**/*.ts'),
  ]) {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1;
    const linesMax = isTest(file) ? TEST_LINES_MAX : SOURCE_LINES_MAX;
    if (lines > linesMax)
      wrong.push(`${file}: ${lines} lines, at most ${linesMax}; split it by what it does`);
    if (BANNED_NAMES.test(file))
      wrong.push(`${file}: a name that says nothing; name it after its main export`);
  }
  assert.deepEqual(wrong, []);
});

test('every source file opens with what it takes, gives and keeps', () => {
  const bare = sources.filter((file) => !/^(#!.*\n)?\/\*\*/.test(readFileSync(file, 'utf8')));
  assert.deepEqual(bare, []);
});

test('every source file is imported by another or is a program', () => {
  const imported = new Set(
    [...files(`${PACKAGES}/**/*.ts`), ...files('{tests,bench,docker}/**/*.ts')].flatMap((file) =>
      importsOf(file)
        .filter((specifier) => specifier.startsWith('.'))
        .map((specifier) => normalize(join(dirname(file), specifier))),
    ),
  );
  const programs = /\/(main|index|write-bundle)\.ts$/;
  assert.deepEqual(
    sources.filter((file) => !imported.has(file) && !programs.test(file)),
    [],
  );
});

test('no open work is left in comments without an issue number', () => {
  const wrong = files(`${PACKAGES}/src/**/*.ts`).filter((file) =>
    /\b(TODO|FIXME|XXX)\b(?!.*#\d)/.test(readFileSync(file, 'utf8')),
  );
  assert.deepEqual(wrong, []);
});

test('links between the pages lead somewhere, and each page has one title', () => {
  const wrong: string[] = [];
  for (const page of files('{*.md,docs/**/*.md}')) {
    const text = readFileSync(page, 'utf8').replace(/```[\s\S]*?```/g, '');
    if ((text.match(/^# /gm) ?? []).length !== 1) wrong.push(`${page}: has not exactly one title`);
    for (const [, target = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(https?:|mailto:|#)/.test(target)) continue;
      const path = normalize(join(dirname(page), target.split('#')[0] ?? ''));
      if (!existsSync(path)) wrong.push(`${page}: ${target} does not exist`);
    }
  }
  assert.deepEqual(wrong, []);
});
