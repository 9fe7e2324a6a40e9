/**
 * Goal: what is called an ECS field is one, with ECS's own type; both builds of the template map the same fields.
 * Method: ask @elastic/ecs, Elastic's published catalogue; walk the template as Elasticsearch would.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EcsFlat } from '@elastic/ecs';
import { FIELDS } from './fields.ts';
import { indexTemplate } from './index-template.ts';
import { STREAM_KEYS, STREAMS, type StreamKey, TEMPLATE_NAME } from './streams.ts';

interface CatalogueField {
  readonly type: string;
  readonly multi_fields?: readonly { readonly name: string; readonly type: string }[];
}
const CATALOGUE = EcsFlat as unknown as Readonly<Record<string, CatalogueField | undefined>>;

/** Fields of ours, of Winlogbeat, and of the data stream scheme that ECS leaves out. */
const notEcs = (path: string): boolean => /^(?:launchbeat|winlog)\./.test(path);

test('every field outside winlog and launchbeat is in ECS, with the type that we map', () => {
  const fields = STREAM_KEYS.flatMap((key) => Object.entries(STREAMS[key].fields));
  for (const [path, type] of fields) {
    if (notEcs(path)) continue;
    const ecs = CATALOGUE[path];
    assert.ok(ecs !== undefined, `${path} is no field of ECS`);
    const [own, text] = type.split('+');
    assert.equal(own, ecs.type, path);
    if (text !== undefined)
      assert.ok(
        ecs.multi_fields?.some((field) => field.name === text && field.type === 'match_only_text'),
        path,
      );
  }
});

type Tree = { readonly [key: string]: unknown };

/** Dotted paths of all leaves; lists count as one leaf. */
function* leaves(value: unknown, path = ''): Generator<string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield path;
    return;
  }
  for (const [key, inner] of Object.entries(value as Tree))
    yield* leaves(inner, path === '' ? key : `${path}.${key}`);
}

/** Written, but not searched for: kept in _source alone. */
const NOT_MAPPED = new Set(['agent.ephemeral_id']);

test('every ECS field that the fixtures write is in ECS, and is mapped or knowingly is not', () => {
  const folder = fileURLToPath(new URL('../fixtures', import.meta.url));
  const written = new Set<string>(['agent.ephemeral_id']);
  for (const file of globSync(`${folder}/*.expected.json`)) {
    const { document } = JSON.parse(readFileSync(file, 'utf8')) as { document?: unknown };
    if (document !== undefined) for (const path of leaves(document)) written.add(path);
  }
  assert.ok(written.size > 50);
  for (const path of written) {
    if (notEcs(path)) continue;
    assert.ok(path in CATALOGUE, `${path} is no field of ECS`);
    assert.ok(path in FIELDS || NOT_MAPPED.has(path), `${path} is written but not mapped`);
  }
  for (const path of written)
    if (path.startsWith('launchbeat.'))
      assert.ok(path in FIELDS, `${path} is written but not mapped`);
});

interface Mapped {
  readonly type?: string;
  readonly value?: string;
  readonly ignore_above?: number;
  readonly properties?: Readonly<Record<string, Mapped>>;
}

function* mapped(level: Mapped, prefix = ''): Generator<[string, Mapped]> {
  for (const [name, field] of Object.entries(level.properties ?? {})) {
    if (field.properties === undefined) yield [`${prefix}${name}`, field];
    else yield* mapped(field, `${prefix}${name}.`);
  }
}

const mappingsOf = (build: 'ecs' | 'core', stream: StreamKey): Map<string, Mapped> => {
  const { template } = indexTemplate({ build, stream }) as { template: { mappings: Mapped } };
  return new Map(mapped(template.mappings));
};

test('both builds of each template map exactly the fields of its table', () => {
  for (const stream of STREAM_KEYS)
    for (const build of ['ecs', 'core'] as const)
      assert.deepEqual(
        [...mappingsOf(build, stream).keys()].sort(),
        Object.keys(STREAMS[stream].fields).sort(),
      );
});

test('the core build has no type of an x-pack mapper module', () => {
  const types = new Set(
    STREAM_KEYS.flatMap((stream) =>
      [...mappingsOf('core', stream).values()].map((field) => field.type),
    ),
  );
  assert.deepEqual([...types].sort(), ['boolean', 'date', 'flattened', 'keyword', 'long', 'text']);
  assert.ok(!JSON.stringify(indexTemplate({ build: 'core' })).includes('match_only_text'));
});

test('no value can exceed the longest term that Lucene takes, 32,766 bytes', () => {
  for (const stream of STREAM_KEYS)
    for (const build of ['ecs', 'core'] as const)
      for (const [path, field] of mappingsOf(build, stream))
        if (field.type === 'keyword' || field.type === 'flattened')
          assert.ok((field.ignore_above ?? Infinity) * 4 <= 32_766, path);
});

test('each template has a name, an id pattern and constants of its own', () => {
  const patterns = STREAM_KEYS.map((stream) => indexTemplate({ build: 'ecs', stream }));
  assert.deepEqual(
    patterns.map((template) => (template['index_patterns'] as string[])[0]),
    ['logs-system.security_launchbeat-*', 'logs-launchbeat.health-*', 'logs-launchbeat.alerts-*'],
  );
  const dataset = (stream: StreamKey): unknown =>
    mappingsOf('ecs', stream).get('data_stream.dataset')?.value;
  assert.deepEqual(
    STREAM_KEYS.map(dataset),
    STREAM_KEYS.map((stream) => STREAMS[stream].dataset),
  );
});

test('the template is for our data streams alone, ahead of Fleet, and has a lifecycle only when told', () => {
  const template = indexTemplate({ build: 'ecs', retention: '90d' }) as {
    index_patterns: string[];
    priority: number;
    template: Tree;
  };
  assert.equal(TEMPLATE_NAME, 'logs-system.security_launchbeat');
  assert.deepEqual(template.index_patterns, ['logs-system.security_launchbeat-*']);
  assert.ok(template.priority > 200);
  assert.deepEqual(template.template['lifecycle'], { data_retention: '90d' });
  assert.ok(!('lifecycle' in (indexTemplate({ build: 'ecs' })['template'] as Tree)));
});
