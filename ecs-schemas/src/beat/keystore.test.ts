/**
 * Goal: secrets are used and never shown. Method: the real programs on real keystores; what they print and what lies on disk is
 * searched for the secret.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { runProgram } from '../../../tests/support/processes.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { dpapiGuard } from './key-guard.ts';
import { openKeystore } from './keystore.ts';

const SECRET = 'key-7:Zx9-very-secret';
const PROGRAMS = {
  launchbeat: 'agent/src/main.ts',
  'launchbeat-collector': 'collector/src/main.ts',
} as const;

interface Place {
  readonly folder: string;
  readonly file: string;
  run(args: readonly string[], input?: string): ReturnType<typeof runProgram>;
}

function place(t: TestContext, name: keyof typeof PROGRAMS = 'launchbeat'): Place {
  const folder = temporaryFolder(t);
  const flags = ['--path.config', folder, '--path.data', folder];
  return {
    folder,
    file: join(folder, `${name}.keystore`),
    run: (args, input) =>
      runProgram(process.execPath, [PROGRAMS[name], ...args, ...flags], {
        ...(input === undefined ? {} : { input }),
        env: { FROM_ENVIRONMENT: 'id:environment', LAUNCHBEAT_POSTGRESQL_URL: undefined },
      }),
  };
}

const agentConfig = (key: string): string =>
  `output.collector:\n  url: https://localhost:8443\n  api_key: ${key}\nname: pc-\${LABEL:none}\n`;

for (const name of ['launchbeat', 'launchbeat-collector'] as const) {
  test(`${name} keystore: create, add, list, remove; nothing is shown, both files are the owner's`, async (t) => {
    const { folder, file, run } = place(t, name);
    const said: string[] = [];
    const ok = async (args: string[], input?: string) => {
      const end = await run(['keystore', ...args], input);
      said.push(end.stdout, end.stderr);
      return end;
    };
    assert.equal((await ok(['create'])).code, 0);
    assert.match((await ok(['create'])).stderr, /exists\. --force/);
    assert.equal((await ok(['add', 'API_KEY', '--stdin'], `${SECRET}\n`)).code, 0);
    assert.equal((await ok(['add', 'OTHER', '--stdin'], SECRET)).code, 0);
    assert.equal((await ok(['list'])).stdout, 'API_KEY\nOTHER\n');
    assert.match((await ok(['add', 'API_KEY', '--stdin'], 'new')).stderr, /--force replaces/);
    assert.equal((await ok(['add', 'API_KEY', '--stdin', '--force'], 'new')).code, 0);
    assert.match((await ok(['add', 'EMPTY', '--stdin'], '\n')).stderr, /empty; nothing was stored/);
    assert.match((await ok(['add', 'A-B', '--stdin'], 'x')).stderr, /is no name for a key/);
    assert.match((await ok(['add', 'PIPED'], SECRET)).stderr, /--stdin/);
    assert.match((await ok(['remove', 'NONE'])).stderr, /Not in the keystore: NONE/);
    assert.equal((await ok(['remove', 'OTHER'])).code, 0);
    assert.deepEqual([...openKeystore(folder, name).read()], [['API_KEY', 'new']]);
    if (process.platform !== 'win32') {
      for (const one of [file, `${file}.key`]) assert.equal(statSync(one).mode & 0o777, 0o600);
    }
    const onDisk = readdirSync(folder).map((one) => readFileSync(join(folder, one), 'latin1'));
    for (const text of [...said, ...onDisk]) assert.ok(!text.includes(SECRET));
  });
}

test('a config takes a key from the keystore before the environment, and export config blanks it', async (t) => {
  const { folder, file, run } = place(t);
  writeFileSync(join(folder, 'launchbeat.yml'), agentConfig('$' + '{FROM_ENVIRONMENT}'));
  assert.equal((await run(['test', 'config'])).code, 0);
  // What only the keystore has, and a value that would be wrong were it taken.
  await run(['keystore', 'add', 'LABEL', '--stdin'], 'label-of-the-keystore');
  await run(['keystore', 'add', 'FROM_ENVIRONMENT', '--stdin'], 'no-key-at-all');
  const wrong = await run(['test', 'config']);
  assert.equal(wrong.code, 78);
  assert.match(wrong.stderr, /output\.collector\.api_key: Expected a key in the form id:secret/);
  assert.ok(!wrong.stderr.includes('no-key-at-all'));
  await run(['keystore', 'add', 'FROM_ENVIRONMENT', '--stdin', '--force'], SECRET);
  const exported = await run(['export', 'config']);
  assert.equal(exported.code, 0, exported.stderr);
  assert.match(exported.stdout, /name: "?\[redacted\]/);
  assert.ok(!exported.stdout.includes(SECRET) && !exported.stdout.includes('label-of'));
  assert.ok(statSync(file).size > 0);
});

test('path.data of the config says where the keystore lies, also while the config is wrong', async (t) => {
  const { folder } = place(t);
  const config = join(folder, 'launchbeat.yml');
  writeFileSync(config, `path.data: ${join(folder, 'elsewhere')}\nnonsense: 1\n`);
  const args = ['agent/src/main.ts', 'keystore', 'create', '-c', config];
  assert.equal((await runProgram(process.execPath, args)).code, 0);
  assert.deepEqual(readdirSync(join(folder, 'elsewhere')).sort(), [
    'launchbeat.keystore',
    'launchbeat.keystore.key',
  ]);
});

test("the collector's alerts.yml takes keys from the keystore too", async (t) => {
  const { folder, run } = place(t, 'launchbeat-collector');
  const reference = (name: string): string => ['$', '{', name, '}'].join('');
  writeFileSync(
    join(folder, 'collector.yml'),
    `postgresql.url: ${reference('DB')}\ntelegram.enabled: false\n`,
  );
  writeFileSync(join(folder, 'alerts.yml'), `chats:\n  ops: ${reference('CHAT')}\n`);
  const missing = await run(['test', 'config']);
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /Variable DB is not set.*keystore add DB/);
  await run(['keystore', 'add', 'DB', '--stdin'], 'postgres://a:b@localhost/c');
  await run(['keystore', 'add', 'CHAT', '--stdin'], '-1001234567890');
  const end = await run(['test', 'config']);
  assert.equal(end.code, 0, end.stderr);
});

test('a keystore that was changed, lost its key or can be read by others is refused with the mend', async (t) => {
  const { folder, file, run } = place(t);
  writeFileSync(join(folder, 'launchbeat.yml'), agentConfig('$' + '{API_KEY}'));
  await run(['keystore', 'add', 'API_KEY', '--stdin'], SECRET);
  assert.equal((await run(['test', 'config'])).code, 0);
  const good = readFileSync(file, 'utf8');
  const sealed = JSON.parse(good) as { data: string };
  const data = Buffer.from(sealed.data, 'base64');
  data[3] = (data[3] ?? 0) ^ 1;
  const refused = async (words: RegExp): Promise<void> => {
    const end = await run(['test', 'config']);
    assert.equal(end.code, 78);
    assert.match(end.stderr, words);
    assert.ok(!end.stderr.includes(SECRET));
  };
  writeFileSync(file, JSON.stringify({ ...sealed, data: data.toString('base64') }));
  await refused(/it was changed, or .* another keystore's key.*keystore create --force/);
  writeFileSync(file, good.slice(0, 40));
  await refused(/it is no keystore/);
  writeFileSync(file, good);
  const other = join(folder, 'other');
  mkdirSync(other);
  openKeystore(other, 'launchbeat').create();
  copyFileSync(join(other, 'launchbeat.keystore.key'), `${file}.key`);
  await refused(/another keystore's key/);
  rmSync(`${file}.key`);
  await refused(/its key .* is missing/);
  if (process.platform === 'win32') return;
  chmodSync(file, 0o644);
  await refused(/can be read by other accounts.*chmod 600/);
});

test('a secret typed on a terminal is not echoed', async (t) => {
  const { folder, file } = place(t);
  if (spawnSync('script', ['--version']).status !== 0) {
    t.skip('no script(1), which gives a terminal');
    return;
  }
  const args = ['agent/src/main.ts', 'keystore', 'add', 'API_KEY'];
  const command = [process.execPath, ...args, '--path.config', folder, '--path.data', folder];
  const terminal = spawn('script', ['-qefc', command.join(' '), '/dev/null'], { stdio: 'pipe' });
  t.after(() => terminal.kill('SIGKILL'));
  let shown = '';
  terminal.stdout.setEncoding('utf8').on('data', (text: string) => {
    // Typed when it is asked for: the terminal itself echoes what comes before.
    if (!shown.includes('not shown') && (shown + text).includes('not shown')) {
      terminal.stdin.write(`${SECRET}\r`);
    }
    shown += text;
  });
  await once(terminal, 'exit');
  assert.match(shown, /Secret for API_KEY \(not shown\): /);
  assert.ok(!shown.includes('Zx9'), shown);
  assert.equal(openKeystore(folder, 'launchbeat').read().get('API_KEY'), SECRET, shown);
  assert.ok(statSync(file).size > 0);
});

test('a key bound to a PC is on disk in no other form, and of no use on another PC', (t) => {
  if (process.platform === 'win32') {
    t.skip('the stand-in for launchbeat.exe is a shell script');
    return;
  }
  const folder = temporaryFolder(t);
  const host = (name: string, script: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o700 });
    return file;
  };
  // A cipher that is its own inverse, so that the same script binds and opens.
  const turn = String.raw`base64 -d | LC_ALL=C tr '\000-\377' '\200-\377\000-\177' | base64 -w0`;
  const here = dpapiGuard(host('here', turn));
  const elsewhere = dpapiGuard(host('elsewhere', `echo 'made on another PC' >&2; exit 1`));
  openKeystore(folder, 'launchbeat', here).write(new Map([['API_KEY', SECRET]]));
  assert.equal(openKeystore(folder, 'launchbeat', here).read().get('API_KEY'), SECRET);
  const stored = readFileSync(join(folder, 'launchbeat.keystore.key'));
  assert.match(stored.toString('latin1'), /^DPAPI1\n/);
  assert.ok(!stored.includes(here.open(stored)));
  assert.throws(
    () => openKeystore(folder, 'launchbeat', elsewhere).read(),
    /keystore\.key cannot be read: .*elsewhere --unprotect: made on another PC/,
  );
  // Without launchbeat.exe, as on this system: refused in words too.
  assert.throws(() => openKeystore(folder, 'launchbeat').read(), /bound to the Windows PC/);
});
