/**
 * Goal: launchbeat.exe and the MSI do on a Windows what they promise, as far as Wine is one. Method: install, upgrade and uninstall
 * under Wine's Windows Installer and service manager, with a stand-in for node.exe that tells what it was given.
 * Not to be seen here, since Wine has none: owners and ACLs of files in force, the group Event Log Readers, virtual accounts,
 * recovery actions (docs/unverified.md).
 */
import assert from 'node:assert/strict';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { eventually } from '../../../tests/support/eventually.ts';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import type { Defaults } from './msi-source.ts';
import {
  smallPackage,
  startWine,
  toolsMissing,
  WINE_TIMEOUT_MS,
  type Wine,
} from './small-package.ts';

const skip = toolsMissing('wine');
const PROGRAM = 'Program Files/Launchbeat';
const DATA = 'ProgramData/Launchbeat';
const EXE = 'C:\\Program Files\\Launchbeat\\launchbeat.exe';
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
/** Wine knows no virtual account and no Event Log Readers. */
const ACCOUNT = 'LocalSystem';

const cleanUps: (() => void)[] = [];
const context = { after: (cleanUp: () => void) => void cleanUps.unshift(cleanUp) };
let folder = '';
let wine: Wine;
before(async () => {
  if (skip) return;
  folder = temporaryFolder(context);
  wine = await startWine(context, folder);
});
after(() => {
  for (const cleanUp of cleanUps) cleanUp();
});

const becomes = async (state: string): Promise<void> => {
  let last = '';
  await eventually(
    async () => {
      last = await wine.service();
      return last === state;
    },
    { timeoutMs: WINE_TIMEOUT_MS },
  ).catch(() => assert.equal(last, state));
};

test('the MSI installs, upgrades and uninstalls; config, key and spool stay until they are to go', {
  skip,
}, async () => {
  const build = (version: string, defaults: Defaults = {}) =>
    smallPackage(join(folder, version), { version, forWine: true, defaults });
  // One setting is built in, the others are told; both in Cyrillic.
  const first = build('0.1.0', { PROGRAMS: 'winword.exe; Учёт 1.exe' });
  const second = build('0.2.0');
  writeFileSync(wine.path('наш ca.pem'), PEM);
  const install = (msi: string, ...properties: string[]) =>
    wine.run(['msiexec', '/i', wine.name(msi), '/qn', ...properties]);

  const refused = await install(first.msi, `SERVICEACCOUNT=${ACCOUNT}`, 'SERVER=collector.example');
  assert.notEqual(refused.code, 0, 'an address that is none');
  assert.equal(await wine.service(), 'absent', 'a failed installation leaves no service');
  assert.ok(!existsSync(wine.path(`${PROGRAM}/launchbeat.exe`)));

  const installed = await install(
    first.msi,
    ...[`SERVICEACCOUNT=${ACCOUNT}`, 'SERVER=https://collector.example:8443', 'KEY=id1:secret1'],
    'CA=C:\\наш ca.pem',
  );
  assert.equal(installed.code, 0, installed.stderr);
  await becomes('RUNNING 0 0');
  // The service runs a little before what it started has written all of it.
  const given = await eventually(() => {
    const text = wine.read(`${PROGRAM}/stand-in.txt`) ?? '';
    return text.includes('NODE_OPTIONS=') && text;
  });
  assert.match(given, /^LAUNCHBEAT_COLLECTOR_URL=https:\/\/collector\.example:8443$/m);
  assert.match(given, /^LAUNCHBEAT_API_KEY=id1:secret1$/m);
  const command = /^command=(.*)$/m.exec(given)?.[1] ?? '';
  assert.ok(!command.includes('secret1'), 'the key stands in no command line');
  for (const words of [
    '--max-semi-space-size=1 --no-opt --no-maglev --heap-growing-percent=15 "C:\\Program Files\\Launchbeat\\app\\launchbeat.mjs"',
    '--path.config "C:\\ProgramData\\Launchbeat"',
    '-E "output.collector.ssl.certificate_authorities=C:\\ProgramData\\Launchbeat\\ca.crt"',
    "{label: 'winword.exe', names: ['winword.exe']}, {label: 'Учёт 1.exe', names: ['Учёт 1.exe']}",
    'run --stop-on-stdin-end',
  ])
    assert.ok(command.includes(words), `${words} in ${command}`);
  assert.equal(wine.read(`${DATA}/ca.crt`), PEM);
  const key = await wine.run([
    ...['reg', 'query', 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Launchbeat'],
  ]);
  assert.match(
    key.stdout,
    /ImagePath\s+REG_\w+\s+"C:\\Program Files\\Launchbeat\\launchbeat\.exe" --service/,
  );
  assert.match(key.stdout, /DependOnService\s+REG_MULTI_SZ\s+EventLog/);

  writeFileSync(wine.path(`${DATA}/launchbeat.yml`), '# of the admin\n');
  writeFileSync(wine.path(`${DATA}/data/position.json`), '{}');
  const upgraded = await install(second.msi);
  assert.equal(upgraded.code, 0, upgraded.stderr);
  await becomes('RUNNING 0 0');
  assert.equal(wine.read(`${PROGRAM}/app/launchbeat.mjs`), '// 0.2.0\n');
  assert.equal(wine.read(`${DATA}/launchbeat.yml`), '# of the admin\n');
  assert.equal(wine.read(`${DATA}/data/position.json`), '{}');
  assert.match(wine.read(`${DATA}/install.env`) ?? '', /^LAUNCHBEAT_API_KEY=id1:secret1$/m);

  const older = await install(first.msi);
  assert.notEqual(older.code, 0, 'an older version is refused');

  const removed = await wine.run(['msiexec', '/x', wine.name(second.msi), '/qn']);
  assert.equal(removed.code, 0, removed.stderr);
  assert.equal(await wine.service(), 'absent');
  assert.ok(!existsSync(wine.path(`${PROGRAM}/launchbeat.exe`)));
  assert.equal(wine.read(`${DATA}/data/position.json`), '{}');
  // By it the ZIP's scripts know an agent of the MSI.
  const mark = await wine.run(['reg', 'query', 'HKLM\\SOFTWARE\\Launchbeat']);
  assert.notEqual(mark.code, 0, mark.stdout);

  assert.equal((await install(second.msi, `SERVICEACCOUNT=${ACCOUNT}`)).code, 0);
  const purged = await wine.run(['msiexec', '/x', wine.name(second.msi), '/qn', 'PURGE=1']);
  assert.equal(purged.code, 0, purged.stderr);
  assert.ok(!existsSync(wine.path(DATA)), 'PURGE=1 deletes the data');
});

test('a setup that is told nothing keeps account, address and key of the service that is there', {
  skip,
}, async () => {
  const setup = unpacked(true);
  const first = await setup(
    ['install', '--account', ACCOUNT, '--server', 'http://localhost:8080', '--key-stdin'],
    'id1:secret1\n',
  );
  assert.equal(first.code, 0, first.stderr);
  const before = wine.read(`${DATA}/install.env`);
  const again = await setup(['install']);
  assert.equal(again.code, 0, again.stderr);
  const service = await wine.run([
    ...['reg', 'query', 'HKLM\\SYSTEM\\CurrentControlSet\\Services\\Launchbeat'],
  ]);
  assert.match(service.stdout, new RegExp(`ObjectName\\s+REG_SZ\\s+${ACCOUNT}`));
  assert.equal(wine.read(`${DATA}/install.env`), before);
  const programs = await setup(['install', '--programs', 'all']);
  assert.equal(programs.code, 0, programs.stderr);
  assert.equal(wine.read(`${DATA}/install.env`), `${before}LAUNCHBEAT_PROGRAMS=all\n`);
});

/** Puts the files where install.ps1 puts them; gives `launchbeat.exe --setup`. */
function unpacked(forWine: boolean) {
  const { stage } = smallPackage(join(folder, `zip-${forWine}`), { forWine });
  rmSync(wine.path(PROGRAM), { recursive: true, force: true });
  rmSync(wine.path(DATA), { recursive: true, force: true });
  cpSync(stage, wine.path(PROGRAM), { recursive: true });
  return (args: readonly string[], input?: string) => wine.run([EXE, '--setup', ...args], input);
}

test('the service reports its states, ends the agent by its standard input, and all that it started with it', {
  skip,
}, async () => {
  const setup = unpacked(true);
  const say = (what: string): void => writeFileSync(wine.path(`${PROGRAM}/stand-in.do`), what);
  const start = () => wine.run(['net', 'start', 'Launchbeat']);
  const stop = () => wine.run(['net', 'stop', 'Launchbeat']);
  const installed = await setup(
    [
      'install',
      '--account',
      ACCOUNT,
      '--server',
      'http://localhost:8080',
      '--key-stdin',
      '--start',
    ],
    'id1:secret1\r\n',
  );
  assert.equal(installed.code, 0, installed.stderr);
  await becomes('RUNNING 0 0');
  await stop();
  await becomes('STOPPED 0 0');

  say('exit 78');
  await start();
  await becomes('STOPPED 1066 78');

  say('child');
  await start();
  await becomes('RUNNING 0 0');
  const alive = (): number => wine.processes('\\node.exe');
  await eventually(() => alive() === 2, { timeoutMs: WINE_TIMEOUT_MS });
  await stop();
  await becomes('STOPPED 0 0');
  await eventually(() => alive() === 0, { timeoutMs: WINE_TIMEOUT_MS });

  say('');
  writeFileSync(wine.path(`${DATA}/install.env`), "LAUNCHBEAT_PROGRAMS='\n");
  await start();
  await becomes('STOPPED 1066 87');
  const removed = await setup(['uninstall', '--purge']);
  assert.equal(await wine.service(), 'absent', removed.stderr);
});

test('a folder that somebody else made in ProgramData is refused', { skip }, async () => {
  const setup = unpacked(false);
  mkdirSync(wine.path(DATA), { recursive: true });
  writeFileSync(wine.path(`${DATA}/launchbeat.yml`), '# a trap\n');
  const refused = await setup(['install', '--account', ACCOUNT]);
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /was made by somebody else/);
});

test('what is told wrongly is refused with the mend, and the key is never in the message', {
  skip,
}, async () => {
  const setup = unpacked(true);
  writeFileSync(wine.path('not-a-ca.pem'), 'hello');
  const rows: [string[], string | undefined, RegExp][] = [
    [['--server', 'collector.example'], undefined, /SERVER must be the collector's address/],
    [['--server', "https://a'b"], undefined, /SERVER must be/],
    [['--key-stdin'], 'onlysecret\n', /key or token must be id:secret/],
    [['--key-stdin'], 'id:se cret\n', /key or token must be id:secret/],
    [['--key-file', 'C:\\nothing.key'], undefined, /cannot be read \(error 2\)/],
    [['--ca', 'ca.pem'], undefined, /full path of a PEM file/],
    [['--ca', 'C:\\not-a-ca.pem'], undefined, /holds no PEM certificate/],
    [['--programs', "a.exe', x: ['"], undefined, /PROGRAMS must be/],
  ];
  for (const [args, input, words] of rows) {
    const refused = await setup(['install', '--account', ACCOUNT, ...args], input);
    assert.equal(refused.code, 1, args.join(' '));
    assert.match(refused.stderr, words);
    assert.ok(!/onlysecret|se cret/.test(refused.stderr));
    rmSync(wine.path(`${DATA}/install.env`), { force: true });
  }
  const unknown = await setup(['install', '--sevrer', 'x']);
  assert.equal(unknown.code, 2);
});

test('a token waits for the agent to enrol; a key told later takes its place', {
  skip,
}, async () => {
  const setup = unpacked(true);
  const told = async (secret: string): Promise<string> => {
    const end = await setup(['install', '--account', ACCOUNT, '--key-stdin'], `${secret}\n`);
    assert.equal(end.code, 0, end.stderr);
    return wine.read(`${DATA}/install.env`) ?? '';
  };
  const waiting = await told('enroll-abc:secret2');
  assert.match(waiting, /^LAUNCHBEAT_ENROLLMENT_TOKEN=enroll-abc:secret2$/m);
  assert.doesNotMatch(waiting, /LAUNCHBEAT_API_KEY/);
  const keyed = await told('id1:secret1');
  assert.match(keyed, /^LAUNCHBEAT_API_KEY=id1:secret1$/m);
  assert.doesNotMatch(keyed, /ENROLLMENT_TOKEN/);
});

test('--protect binds a key by DPAPI, --unprotect gives it back; what was changed is refused', {
  skip,
}, async () => {
  unpacked(true);
  const key = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
  const closed = await wine.run([EXE, '--protect'], key);
  assert.equal(closed.code, 0, closed.stderr);
  assert.match(closed.stdout, /^[A-Za-z0-9+/]+=*$/);
  assert.ok(!Buffer.from(closed.stdout, 'base64').includes(Buffer.from(key, 'base64')));
  const opened = await wine.run([EXE, '--unprotect'], closed.stdout);
  assert.equal(opened.stdout, key, opened.stderr);
  const changed = Buffer.from(closed.stdout, 'base64');
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  for (const wrong of [changed.toString('base64'), key, 'no base64 at all!', '']) {
    const refused = await wine.run([EXE, '--unprotect'], wrong);
    assert.equal(refused.code, 1, wrong);
    assert.equal(refused.stdout, '');
    assert.match(refused.stderr, /error \d+/);
  }
});

/** The last one: Wine holds a service whose process ended without a word for a running one ever after. */
test('a service that cannot start node.exe ends without a word, so that Windows starts it again', {
  skip,
}, async () => {
  const setup = unpacked(true);
  const installed = await setup(['install', '--account', ACCOUNT]);
  assert.equal(installed.code, 0, installed.stderr);
  rmSync(wine.path(`${PROGRAM}/node.exe`));
  await wine.run(['net', 'start', 'Launchbeat']);
  await eventually(() => wine.processes('--service') === 0, { timeoutMs: WINE_TIMEOUT_MS });
  assert.doesNotMatch(await wine.service(), /^STOPPED/);
});
