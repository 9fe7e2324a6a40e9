// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configs under test hold variable references.
/**
 * Goal: an operator's mistake in a config is named with key, line and mend, all of them at once.
 * Method: small files in a temporary folder against a small schema with nesting, defaults and a secret.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { z } from 'zod';
import { ConfigError } from './config-problem.ts';
import { byteSize, duration, stringList } from './config-values.ts';
import { expandVariables } from './expand-variables.ts';
import { loadConfig } from './load-config.ts';
import { nearest } from './nearest.ts';

const folder = mkdtempSync(join(tmpdir(), 'launchbeat-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const schema = z.strictObject({
  name: z.string().default('pc'),
  output: z.strictObject({
    url: z.url(),
    api_key: z.string().min(8),
    timeout: duration('90s'),
    bulk_max_bytes: byteSize('1MiB'),
  }),
  paths: stringList(),
  programs: z.array(z.strictObject({ label: z.string() })).default([]),
  logging: z
    .strictObject({
      level: z.enum(['debug', 'info']).default('info'),
      to_files: z.boolean().default(true),
    })
    .prefault({}),
});

interface Given {
  readonly yaml: string;
  readonly environment?: Record<string, string>;
  readonly settings?: readonly string[];
}

function load(given: Given): z.infer<typeof schema> {
  const file = join(folder, 'test.yml');
  writeFileSync(file, given.yaml);
  return loadConfig({
    file,
    schema,
    environment: given.environment ?? {},
    settings: given.settings ?? [],
  });
}

const GOOD = 'output:\n  url: https://collector:8443\n  api_key: "0123456789"\n';

test('loadConfig() fills defaults and turns units into milliseconds and bytes', () => {
  const config = load({ yaml: GOOD });
  assert.equal(config.output.timeout, 90_000);
  assert.equal(config.output.bulk_max_bytes, 1_048_576);
  assert.equal(config.logging.level, 'info');
});

test('loadConfig() takes dotted keys, variables, defaults and -E', () => {
  const config = load({
    yaml: 'output.url: ${URL}\noutput:\n  api_key: "${KEY}"\n  timeout: ${WAIT:5s}\nlogging.to_files: ${FILES:false}\n',
    environment: { URL: 'https://a:1', KEY: '1234567890' },
    settings: ['logging.level=debug', 'paths=a.xml,b.xml'],
  });
  assert.equal(config.output.url, 'https://a:1');
  assert.equal(config.output.api_key, '1234567890', 'a quoted value stays text');
  assert.equal(config.output.timeout, 5000);
  assert.equal(config.logging.to_files, false);
  assert.equal(config.logging.level, 'debug');
  assert.deepEqual(config.paths, ['a.xml', 'b.xml']);
});

test('loadConfig() asks for no variable of a value that -E overwrites', () => {
  const yaml = 'output:\n  url: ${NOT_SET_URL}\n  api_key: ${NOT_SET_KEY}\n';
  const settings = ['output.url=https://a:1', 'output.api_key=key:12345678'];
  assert.equal(load({ yaml, settings }).output.url, 'https://a:1');
  assert.throws(() => load({ yaml, settings: settings.slice(1) }), /NOT_SET_URL is not set/);
});

/** A bad file, and what its message must say. */
const BAD: readonly [string, Given, readonly RegExp[]][] = [
  [
    'an unknown key',
    { yaml: `${GOOD}  tiemout: 3s\n` },
    [/test\.yml:4: output\.tiemout: Unknown key\. Did you mean "timeout"\?/],
  ],
  [
    'a key that resembles nothing',
    { yaml: `${GOOD}zebra: 1\n` },
    [/test\.yml:4: zebra: Unknown key\. Delete it; known here: name, output/],
  ],
  [
    'an unknown key in a list',
    { yaml: `${GOOD}programs:\n  - label: a\n    lable: b\n` },
    [/test\.yml:6: programs\.0\.lable: .*"label"/],
  ],
  [
    'a wrong type',
    { yaml: `${GOOD}logging.to_files: maybe\n` },
    [/test\.yml:4: logging\.to_files: Expected boolean, received string/],
  ],
  [
    'a wrong choice',
    { yaml: `${GOOD}logging:\n  level: loud\n` },
    [/test\.yml:5: logging\.level: .*"debug"/],
  ],
  [
    'a duration without unit',
    { yaml: `${GOOD}  timeout: "30"\n` },
    [/test\.yml:4: output\.timeout: Expected a duration with a unit/],
  ],
  [
    'a missing key',
    { yaml: 'output:\n  url: https://a\n' },
    [/test\.yml:1: output\.api_key: Missing\./],
  ],
  [
    'a missing variable',
    { yaml: 'output:\n  url: https://a\n  api_key: ${NO_KEY}\n' },
    [
      /test\.yml:3: output\.api_key: Variable NO_KEY is not set\. Set it, store it with `keystore add NO_KEY`, or write \$\{NO_KEY:default\}/,
    ],
  ],
  [
    'a required variable with a text',
    { yaml: `${GOOD}name: \${PC:?run setup first}\n` },
    [/test\.yml:4: name: Variable PC is not set: run setup first/],
  ],
  ['a duplicate key', { yaml: `${GOOD}name: a\nname: b\n` }, [/test\.yml:5: .*unique/]],
  ['broken YAML', { yaml: 'output: [1, 2\nname: a\n' }, [/test\.yml:\d+: /]],
  ['a list at the top', { yaml: '- a\n' }, [/test\.yml:1: Expected keys and values/]],
  [
    'a key both dotted and nested',
    { yaml: `${GOOD}output.url: https://b\n` },
    [/test\.yml:4: output\.url: Key stands twice/],
  ],
  ['a prototype key', { yaml: `${GOOD}__proto__:\n  a: 1\n` }, [/__proto__: Key is not allowed/]],
  ['-E without equals sign', { yaml: GOOD, settings: ['name'] }, [/^-E name: Expected key=value/]],
  [
    'an unknown key of -E',
    { yaml: GOOD, settings: ['output.tiemout=3s'] },
    [/^-E output\.tiemout: Unknown key\. Did you mean "timeout"\?$/],
  ],
  [
    'a wrong value of -E for a key that stands in the file',
    { yaml: GOOD, settings: ['output.url=nope'] },
    [/^-E output\.url: Invalid URL/],
  ],
  [
    'a plain value of -E for a whole section',
    { yaml: GOOD, settings: ['output=5'] },
    [/^-E output: Expected object, received number/],
  ],
  [
    'a key of -E below a value that has none',
    { yaml: `${GOOD}name:\n`, settings: ['name.first=x'] },
    [/^-E name\.first: name: Expected string, received object/],
  ],
  [
    'a missing variable of -E',
    { yaml: GOOD, settings: ['name=${NOT_SET}'] },
    [/^-E name: Variable NOT_SET is not set/],
  ],
  [
    'a number for a duration',
    { yaml: `${GOOD}  timeout: 30\n` },
    [/test\.yml:4: output\.timeout: Expected a duration with a unit/],
  ],
  [
    'a variable without its closing brace',
    { yaml: `${GOOD}name: \${PC\n` },
    [/test\.yml:4: name: What begins with "\$\{" here is no variable reference/],
  ],
  [
    'a variable as the default of another',
    { yaml: `${GOOD}name: \${PC:\${HOST}}\n` },
    [/test\.yml:4: name: .*is no variable reference/],
  ],
  [
    'several mistakes',
    { yaml: 'output:\n  url: nope\nzebra: 1\nlogging.level: loud\n' },
    [/output\.url/, /output\.api_key/, /zebra/, /logging\.level/],
  ],
];

for (const [what, given, wanted] of BAD) {
  test(`loadConfig() names key, line and mend of ${what}`, () => {
    assert.throws(
      () => load(given),
      (error: unknown) => {
        assert.ok(error instanceof ConfigError);
        for (const pattern of wanted) assert.match(error.message, pattern);
        return true;
      },
    );
  });
}

test('loadConfig() says of broken YAML where it breaks, and nothing of the keys that it could not read', () => {
  assert.throws(() => load({ yaml: `${GOOD}name: a\nname: b\n` }), {
    message: /^[^\n]*test\.yml:5: .*unique[^\n]*$/,
  });
});

test('loadConfig() does not print the value of a key that is wrong', () => {
  for (const secret of ['s3cr3t', 'abc${s3cr3t', '${s3cr3t!}']) {
    assert.throws(
      () => load({ yaml: `output:\n  url: https://a\n  api_key: ${secret}\n` }),
      (error: unknown) => error instanceof ConfigError && !error.message.includes('s3cr3t'),
    );
  }
});

test('loadConfig() names a file that is not there', () => {
  assert.throws(
    () => loadConfig({ file: join(folder, 'none.yml'), schema, environment: {} }),
    /ENOENT.*-c FILE/,
  );
});

test('expandVariables() keeps escaped references', () => {
  assert.deepEqual(expandVariables('a$${B}c', {}), { text: 'a${B}c', problems: [] });
});

test('nearest() finds a typo and leaves strangers alone', () => {
  assert.equal(nearest('tiemout', ['timeout', 'url']), 'timeout');
  assert.equal(nearest('zebra', ['timeout', 'url']), undefined);
});
