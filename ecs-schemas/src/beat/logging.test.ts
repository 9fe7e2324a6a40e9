/**
 * The programs' own log on real files: its lines, its levels, its secrets, its rolling.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { ECS_VERSION } from '../process-start.ts';
import { createLog, type LogOptions, type OpenLog } from './logging.ts';
import { loggingConfigSchema } from './logging-config.ts';

async function open(
  t: TestContext,
  config: object = {},
  more: Partial<LogOptions> = {},
): Promise<OpenLog & { folder: string; lines(): Record<string, unknown>[] }> {
  const folder = join(temporaryFolder(t), 'logs');
  const logging = await createLog({
    ...{ config: loggingConfigSchema.parse(config), name: 'launchbeat', folder },
    ...{ stderr: false, version: '1.2.3', ...more },
  });
  t.after(() => logging.close());
  const lines = (): Record<string, unknown>[] =>
    readFileSync(logging.file ?? '', 'utf8')
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  return { ...logging, folder, lines };
}

test('a line is ECS: level, time, program, fields with dots as they are, error, message', async (t) => {
  const { log, file, lines } = await open(t);
  log.warn({ 'event.id': 'x', err: new TypeError('broken') }, 'Something happened.');
  const [line] = lines();
  const { '@timestamp': time, error, ...rest } = line ?? {};
  assert.deepEqual(rest, {
    'log.level': 'warn',
    'service.name': 'launchbeat',
    'service.version': '1.2.3',
    'process.pid': process.pid,
    'event.id': 'x',
    'ecs.version': ECS_VERSION,
    message: 'Something happened.',
  });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  const { type, message, stack_trace } = error as Record<string, string>;
  assert.deepEqual([type, message], ['TypeError', 'broken']);
  assert.match(stack_trace ?? '', /logging\.test/);
  assert.match(file ?? '', /launchbeat\.\d{8}\.1\.ndjson$/);
  for (const key of ['ecs.version', '@timestamp', 'log.level']) {
    assert.equal(readFileSync(file ?? '', 'utf8').split(`"${key}"`).length, 2);
  }
});

for (const [level, written] of [
  ['debug', ['debug', 'info', 'warn', 'error']],
  ['info', ['info', 'warn', 'error']],
  ['warning', ['warn', 'error']],
  ['error', ['error']],
] as const) {
  test(`logging.level ${level} writes ${written.join(', ')}`, async (t) => {
    const { log, lines } = await open(t, { level });
    for (const one of ['debug', 'info', 'warn', 'error'] as const) log[one]({}, 'x');
    assert.deepEqual(
      lines().map((line) => line['log.level']),
      written,
    );
  });
}

test('no secret is written, by name at any depth nor by its look in a text', async (t) => {
  const { log, file } = await open(t);
  const secret = 's3cr3t-value';
  const header = `ApiKey ${Buffer.from(`id:${secret}`).toString('base64')}`;
  const telegram = '123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0';
  const error = new Error(`GET https://user:${secret}@host failed with ${header}`);
  log.error(
    {
      ...{
        api_key: secret,
        'output.api_key': secret,
        'http.request.headers.authorization': secret,
      },
      ...{
        config: { password: secret, deep: { token: secret, deeper: { authorization: secret } } },
      },
      ...{ url: `https://api.telegram.org/bot${telegram}/getMe`, err: error },
    },
    `Bearer ${secret}-${secret} and ${telegram}.`,
  );
  const text = readFileSync(file ?? '', 'utf8');
  for (const hidden of [secret, header, telegram]) assert.ok(!text.includes(hidden), text);
  assert.ok(text.includes('failed with ApiKey [redacted]'));
});

test('logging does not change the fields that it is given', async (t) => {
  const { log } = await open(t);
  const fields = { api_key: 'abc', nested: { token: 'abc' }, err: new Error('https://a:b@c') };
  log.info(fields, 'x');
  assert.deepEqual(
    [fields.api_key, fields.nested.token, fields.err.message],
    ['abc', 'abc', 'https://a:b@c'],
  );
});

test('files roll at their size, and the newest ones are kept', async (t) => {
  const { log, folder } = await open(t, { files: { rotateeverybytes: 2000, keepfiles: 2 } });
  for (let round = 0; round < 40; round += 1) {
    log.info({ round, text: 'x'.repeat(300) }, 'x');
    await new Promise((resolve) => setImmediate(resolve));
  }
  const files = readdirSync(folder);
  assert.equal(files.length, 3, files.join());
  const all = files.map((file) => readFileSync(join(folder, file), 'utf8')).join('');
  assert.ok(all.includes('"round":39'));
  assert.ok(!all.includes('"round":0,'));
});

test('files of earlier days go at the start, files of other programs stay', async (t) => {
  const folder = temporaryFolder(t);
  for (let day = 1; day <= 9; day += 1) {
    for (const name of ['launchbeat', 'launchbeat-collector']) {
      const path = join(folder, `${name}.2026010${day}.1.ndjson`);
      writeFileSync(path, '{}\n');
      utimesSync(path, new Date(2026, 0, day), new Date(2026, 0, day));
    }
  }
  await open(t, { files: { keepfiles: 3, path: folder } });
  const left = (name: string): string[] =>
    readdirSync(folder)
      .filter((file) => file.startsWith(`${name}.`))
      .sort();
  assert.deepEqual(
    left('launchbeat')
      .slice(0, 3)
      .map((file) => file.slice(11, 19)),
    ['20260107', '20260108', '20260109'],
  );
  assert.equal(left('launchbeat').length, 4);
  assert.equal(left('launchbeat-collector').length, 9);
});

test('-e and to_stderr write to stderr, with and without a file', () => {
  const script = `
    import { createLog } from ${JSON.stringify(fileURLToPath(new URL('./logging.ts', import.meta.url)))};
    import { loggingConfigSchema } from ${JSON.stringify(fileURLToPath(new URL('./logging-config.ts', import.meta.url)))};
    for (const [to_stderr, stderr] of [[true, false], [false, true], [false, false]]) {
      const config = loggingConfigSchema.parse({ to_files: false, to_stderr });
      const { log, file } = await createLog({ config, name: 'launchbeat', folder: '.', stderr, version: '1' });
      log.info({ file: String(file) }, 'Said.');
    }
  `;
  const out = execFileSync(
    'sh',
    ['-c', '"$0" --input-type=module -e "$1" 2>&1', process.execPath, script],
    { encoding: 'utf8' },
  );
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.deepEqual(
    lines.map((line) => [line['message'], line['file']]),
    [
      ['Said.', 'undefined'],
      ['Said.', 'undefined'],
    ],
  );
});

test('a folder that cannot be written is named with the mend', async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, 'logs'), 'a file');
  const config = loggingConfigSchema.parse({});
  const opened = createLog({
    config,
    name: 'launchbeat',
    folder: join(folder, 'logs'),
    stderr: false,
    version: '1',
  });
  await assert.rejects(opened, /Cannot write the log in .*logs .*--path\.logs/);
});
