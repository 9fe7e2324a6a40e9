// biome-ignore-all lint/suspicious/noTemplateCurlyInString: configs under test hold variable references.
/**
 * Goal: a wrong config never starts anything and says how to mend it. Method: each shipped file with a typo, a wrong type and a
 * missing variable, read by the real programs; the exit code is 78 and the message names file, line, key and mend.
 */
import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const PROGRAM = { agent: 'agent/src/main.ts', collector: 'collector/src/main.ts' } as const;
const ENVIRONMENT = {
  LAUNCHBEAT_COLLECTOR_URL: 'https://localhost:8443',
  LAUNCHBEAT_API_KEY: 'id:secret',
  LAUNCHBEAT_POSTGRESQL_URL: undefined,
  LAUNCHBEAT_TELEGRAM_TOKEN: undefined,
};

interface Case {
  readonly program: keyof typeof PROGRAM;
  readonly file: string;
  readonly add: string;
  /** Must stand in the message, besides file and line. */
  readonly says: readonly RegExp[];
}

const CASES: Readonly<Record<string, Case>> = {
  'launchbeat.yml with a typo': {
    program: 'agent',
    file: 'launchbeat.yml',
    add: 'spool:\n  segment_byte: 16MiB\n',
    says: [/spool\.segment_byte/, /Did you mean "segment_bytes"/],
  },
  'launchbeat.yml with a wrong type': {
    program: 'agent',
    file: 'launchbeat.yml',
    add: 'spool:\n  retention: soon\n',
    says: [/spool\.retention/, /Expected a duration with a unit/],
  },
  'launchbeat.yml with a missing variable': {
    program: 'agent',
    file: 'launchbeat.yml',
    add: 'spool:\n  path: ${NOT_SET_ANYWHERE}\n',
    says: [/spool\.path/, /NOT_SET_ANYWHERE/],
  },
  'collector.yml with a typo': {
    program: 'collector',
    file: 'collector.yml',
    add: 'elasticsearch:\n  host: [http://localhost:9200]\n',
    says: [/elasticsearch\.host/, /Did you mean "hosts"/],
  },
  'collector.yml with a wrong type': {
    program: 'collector',
    file: 'collector.yml',
    add: 'elasticsearch:\n  enabled: perhaps\n',
    says: [/elasticsearch\.enabled/, /boolean/],
  },
  'collector.yml with a missing variable': {
    program: 'collector',
    file: 'collector.yml',
    add: 'elasticsearch:\n  api_key: ${NOT_SET_ANYWHERE}\n',
    says: [/elasticsearch\.api_key/, /NOT_SET_ANYWHERE/],
  },
  'alerts.yml with a typo': {
    program: 'collector',
    file: 'alerts.yml',
    add: 'timezone: Europe/Moscow\n',
    says: [/timezone/, /Did you mean "time_zone"/],
  },
  'alerts.yml with a wrong type': {
    program: 'collector',
    file: 'alerts.yml',
    add: 'time_zone: Moscow\n',
    says: [/time_zone/, /Europe\/Moscow/],
  },
  'alerts.yml with a missing variable': {
    program: 'collector',
    file: 'alerts.yml',
    add: 'chats:\n  launches: ${NOT_SET_ANYWHERE}\n',
    says: [/chats\.launches/, /NOT_SET_ANYWHERE/],
  },
  'alerts.yml with a template that shows text unescaped': {
    program: 'collector',
    file: 'alerts.yml',
    add: "template: '{{{user}}}'\n",
    says: [/template/, /\{\{user\}\}/],
  },
  'alerts.yml with a rule for an unknown chat': {
    program: 'collector',
    file: 'alerts.yml',
    // The shipped file ends with its rules.
    add: '  - id: a\n    chats: [op]\nchats:\n  ops: 42\n',
    says: [/rules\.\d+\.chats/, /Known: ops/],
  },
};

for (const [name, { program, file, add, says }] of Object.entries(CASES)) {
  test(`${name} ends with 78 and says where and how to mend it`, async (t) => {
    const folder = temporaryFolder(t);
    for (const shipped of program === 'agent'
      ? ['launchbeat.yml']
      : ['collector.yml', 'alerts.yml']) {
      cpSync(join(program, shipped), join(folder, shipped));
    }
    const before = readFileSync(join(folder, file), 'utf8');
    writeFileSync(join(folder, file), `${before}\n${add}`);
    const end = await runProgram(
      process.execPath,
      [PROGRAM[program], 'test', 'config', '--path.config', folder],
      { env: ENVIRONMENT },
    );
    assert.equal(end.code, 78, end.stdout + end.stderr);
    const firstLine = before.split('\n').length + 1;
    assert.match(
      end.stderr,
      new RegExp(`${file.replace('.', '\\.')}:(${firstLine}|${firstLine + 1}|${firstLine + 4}): `),
    );
    for (const pattern of says) assert.match(end.stderr, pattern);
    assert.doesNotMatch(end.stderr, / at .*\.ts:\d+/, 'a stack is no help');
  });
}

test('every problem of a file is named in one go', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(
    join(folder, 'launchbeat.yml'),
    'selekt: all\nspool:\n  retention: soon\noutput:\n  collector:\n    url: 5\n',
  );
  const end = await runProgram(process.execPath, [PROGRAM.agent, '--path.config', folder], {
    env: ENVIRONMENT,
  });
  assert.equal(end.code, 78);
  for (const pattern of [
    /:1: selekt/,
    /:3: spool\.retention/,
    /:6: output\.collector\.url/,
    /output\.collector\.api_key/,
  ]) {
    assert.match(end.stderr, pattern);
  }
});

for (const [program, setting, pattern] of [
  ['agent', 'spool.segment_byte=16MiB', /^-E spool\.segment_byte: .*Did you mean "segment_bytes"/m],
  ['agent', 'output.collector=5', /^-E output\.collector: Expected object/m],
  ['agent', 'spool.path=${NOT_SET_ANYWHERE}', /^-E spool\.path: .*NOT_SET_ANYWHERE/m],
  ['collector', 'elasticsearch.host=x', /^-E elasticsearch\.host: .*Did you mean "hosts"/m],
  ['collector', 'elasticsearch.enabled=perhaps', /^-E elasticsearch\.enabled: .*boolean/m],
  ['collector', 'telegram.token=${NOT_SET_ANYWHERE}', /^-E telegram\.token: .*NOT_SET_ANYWHERE/m],
] as const) {
  test(`${program} -E ${setting} ends with 78 and blames the setting, not the file`, async () => {
    const end = await runProgram(
      process.execPath,
      [PROGRAM[program], 'test', 'config', '--path.config', program, '-E', setting],
      { env: ENVIRONMENT },
    );
    assert.equal(end.code, 78, end.stdout + end.stderr);
    assert.match(end.stderr, pattern);
  });
}

test('a file that is not there ends with 78 and says how to name another', async (t) => {
  const folder = temporaryFolder(t);
  const end = await runProgram(
    process.execPath,
    [PROGRAM.collector, 'test', 'config', '-c', join(folder, 'no.yml')],
    { env: ENVIRONMENT },
  );
  assert.equal(end.code, 78);
  assert.match(end.stderr, /no\.yml: .*-c FILE/);
});
