/**
 * Goal: the shipped config files and their schemas say the same. Method: each file is read as shipped and with every commented
 * key put in force; both must load, mean the same (a commented key shows its default), and together name every key of the schema.
 * A key whose comment says "Example" has no default: its value is only shown.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { agentConfigSchema } from '../agent/src/config.ts';
import { alertsConfigSchema } from '../collector/src/assess/alerts-config.ts';
import { collectorConfigSchema } from '../collector/src/config.ts';
import { readConfigDocument } from '../ecs-schemas/src/beat/config-document.ts';
import { loadConfig } from '../ecs-schemas/src/beat/load-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'launchbeat-configs-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const ENVIRONMENT = {
  LAUNCHBEAT_API_KEY: 'id:secret-of-the-test',
  LAUNCHBEAT_COLLECTOR_URL: 'https://collector.example:8443',
  LAUNCHBEAT_POSTGRESQL_URL: 'postgres://launchbeat:x@localhost/launchbeat',
  LAUNCHBEAT_TELEGRAM_TOKEN: '1:token-of-the-test',
};

const FILES: readonly (readonly [string, z.ZodType])[] = [
  ['agent/launchbeat.yml', agentConfigSchema],
  ['collector/collector.yml', collectorConfigSchema],
  ['collector/alerts.yml', alertsConfigSchema],
];

/** A commented key: `#key: value` with no blank after the `#`. */
const COMMENTED_KEY = /^(\s*)#([a-z_]+(?:\.[a-z_]+)*:.*|- .*| {2}\S.*)$/;

const inForce = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.replace(COMMENTED_KEY, '$1$2'))
    .join('\n');

function load(name: string, text: string, schema: z.ZodType): Record<string, unknown> {
  const file = join(folder, name);
  writeFileSync(file, text);
  // As JSON: a key that is there without a value says the same as one that is not there.
  return JSON.parse(
    JSON.stringify(loadConfig({ file, schema, environment: ENVIRONMENT })),
  ) as Record<string, unknown>;
}

type Json = {
  properties?: Record<string, Json>;
  items?: Json;
  anyOf?: Json[];
  additionalProperties?: unknown;
};

/** Dotted paths of every key that the schema knows; list items count as one place. */
function schemaPaths(level: Json, prefix = ''): string[] {
  const options = [level, ...(level.anyOf ?? [])];
  const paths = options.flatMap((one) =>
    Object.entries(one.properties ?? {}).flatMap(([name, inner]) => [
      `${prefix}${name}`,
      ...schemaPaths(inner, `${prefix}${name}.`),
    ]),
  );
  return [
    ...paths,
    ...options.flatMap((one) =>
      one.items === undefined ? [] : schemaPaths(one.items, `${prefix}0.`),
    ),
  ];
}

/** Paths whose comment says that the value is an example. */
function examplePaths(text: string, lines: ReadonlyMap<string, number>): string[] {
  const rows = text.split('\n');
  return [...lines]
    .filter(([, line]) => /\bExample\b/.test(commentAbove(rows, line)))
    .map(([path]) => path);
}

function commentAbove(rows: readonly string[], line: number): string {
  const above: string[] = [];
  for (let row = line - 2; row >= 0 && /^\s*# /.test(rows[row] ?? ''); row -= 1)
    above.push(rows[row] ?? '');
  return above.join('\n');
}

function withoutPaths(value: unknown, paths: readonly string[], at = ''): unknown {
  if (Array.isArray(value))
    return value.map((item, index) => withoutPaths(item, paths, `${at}${index}.`));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !paths.includes(`${at}${key}`))
      .map(([key, inner]) => [key, withoutPaths(inner, paths, `${at}${key}.`)]),
  );
}

for (const [file, schema] of FILES) {
  const text = readFileSync(file, 'utf8');
  const name = file.replace('/', '-');

  test(`${file} loads as shipped, and its commented keys show the defaults`, () => {
    const full = inForce(text);
    const examples = examplePaths(full, readConfigDocument(full, ENVIRONMENT).lines);
    assert.deepEqual(
      withoutPaths(load(name, text, schema), examples),
      withoutPaths(load(name, full, schema), examples),
    );
  });

  test(`${file} names every key of its schema`, () => {
    const { lines } = readConfigDocument(inForce(text), ENVIRONMENT);
    const named = new Set([...lines.keys()].map((path) => path.replace(/\.\d+(?=\.|$)/g, '.0')));
    const paths = schemaPaths(
      z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as Json,
    );
    assert.deepEqual(
      [...new Set(paths)].filter((path) => !named.has(path)),
      [],
    );
  });

  test(`${file} explains every key with a comment above it`, () => {
    const full = inForce(text);
    const rows = full.split('\n');
    const { lines } = readConfigDocument(full, ENVIRONMENT);
    const bare = [...lines]
      .filter(([path]) => !/\.[1-9]\d*(\.|$)|\.0$/.test(path))
      .filter(
        ([path, line]) =>
          ![...lines].some(
            ([other, at]) => at === line && other !== path && path.startsWith(`${other}.`),
          ),
      )
      .filter(([, line]) => commentAbove(rows, line) === '')
      .map(([path, line]) => `${file}:${line}: ${path}`);
    assert.deepEqual(bare, []);
  });
}
