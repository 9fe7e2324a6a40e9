/**
 * Goal: the MSI says what Windows Installer needs to hear. Method: build one with a small stand-in for node.exe, read its tables
 * with msiinfo.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { temporaryFolder } from '../../../tests/support/temporary-folder.ts';
import { serviceSid } from './service-account.ts';
import { smallPackage, toolsMissing } from './small-package.ts';

const skip = toolsMissing();
const cleanups: (() => void)[] = [];
const context = { after: (clean: () => void) => void cleanups.push(clean) };
process.on('exit', () => {
  for (const clean of cleanups) clean();
});

let msi = '';
before(() => {
  if (!skip) msi = smallPackage(temporaryFolder(context)).msi;
});

/** Rows of a table, each by the names of its columns. */
function table(name: string, file = msi): Record<string, string>[] {
  const [head = '', , , ...rows] = execFileSync('msiinfo', ['export', file, name], {
    encoding: 'utf8',
  })
    .split(/\r?\n/)
    .filter((line) => line !== '');
  const columns = head.split('\t');
  return rows.map((row) => {
    const cells = row.split('\t');
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
  });
}

const property = (name: string, file = msi): string | undefined =>
  table('Property', file).find((row) => row['Property'] === name)?.['Value'];

test('the service runs launchbeat.exe --service, waits for the event log, under the account of the property', {
  skip,
}, () => {
  const [service] = table('ServiceInstall');
  assert.equal(service?.['Name'], 'Launchbeat');
  assert.equal(service?.['Arguments'], '--service');
  assert.equal(service?.['StartName'], '[SERVICEACCOUNT]');
  assert.equal(service?.['StartType'], '2');
  assert.equal(service?.['ServiceType'], '16');
  assert.equal(service?.['Dependencies'], 'EventLog[~][~]');
  const controls = table('ServiceControl');
  // 1 start at install; 2 and 32 stop, 128 delete. A start that is not waited for cannot roll an install back.
  assert.deepEqual(
    controls.map((row) => [row['Event'], row['Wait']]),
    [
      ['162', '1'],
      ['1', '0'],
    ],
  );
});

test('folders, settings and group are made after the service and before its start', {
  skip,
}, () => {
  const rows = table('InstallExecuteSequence');
  const order = rows
    .toSorted((a, b) => Number(a['Sequence']) - Number(b['Sequence']))
    .map((row) => row['Action']);
  const wanted = [
    ...['FindRelatedProducts', 'AppSearch', 'KeepAccount', 'DefaultAccount', 'InstallInitialize'],
    ...['RemoveExistingProducts', 'StopServices', 'TellCleanUp', 'CleanUp', 'DeleteServices'],
    ...['InstallFiles', 'InstallServices', 'TellConfigure', 'Configure', 'StartServices'],
    'InstallFinalize',
  ];
  assert.deepEqual(
    order.filter((action) => wanted.includes(action ?? '')),
    wanted,
  );
  const condition = (action: string): string | undefined =>
    rows.find((row) => row['Action'] === action)?.['Condition'];
  assert.equal(condition('CleanUp'), 'REMOVE="ALL" AND NOT UPGRADINGPRODUCTCODE');
  assert.equal(condition('Configure'), 'NOT (REMOVE="ALL")');
});

test('both actions run deferred as System, and the key is kept out of the log', { skip }, () => {
  const types = new Map(table('CustomAction').map((row) => [row['Action'], Number(row['Type'])]));
  const [DLL, SETS, DEFERRED, AS_SYSTEM, HIDDEN] = [1, 51, 1024, 2048, 8192];
  assert.equal(types.get('Configure'), DLL + DEFERRED + AS_SYSTEM + HIDDEN);
  assert.equal(types.get('CleanUp'), DLL + DEFERRED + AS_SYSTEM);
  assert.equal(types.get('TellConfigure'), SETS + HIDDEN);
  assert.deepEqual(property('MsiHiddenProperties')?.split(';').sort(), [
    'Configure',
    'KEY',
    'TOKEN',
  ]);
  const data = table('CustomAction').find((row) => row['Action'] === 'TellConfigure')?.['Target'];
  assert.equal(
    data,
    '[INSTALLFOLDER]|[SERVICEACCOUNT]|[SERVER]|[KEY]|[KEYFILE]|[CA]|[PROGRAMS]|[TOKEN]',
  );
});

test('what is told at the command line reaches the part that runs as System', { skip }, () => {
  const secure = property('SecureCustomProperties')?.split(';') ?? [];
  const told = ['SERVER', 'TOKEN', 'KEY', 'KEYFILE', 'CA', 'PROGRAMS', 'SERVICEACCOUNT', 'PURGE'];
  for (const name of told) assert.ok(secure.includes(name), name);
  assert.ok(secure.includes('WIX_UPGRADE_DETECTED'), 'MajorUpgrade needs its own two');
});

test('an upgrade finds older versions by the upgrade code and refuses newer ones', { skip }, () => {
  assert.equal(property('UpgradeCode'), '{7D0B9D5C-6F0C-4E6B-8B7A-5A3C2E46884A}');
  const [older, newer] = table('Upgrade');
  assert.equal(older?.['VersionMax'], '0.1.0');
  assert.equal(newer?.['VersionMin'], '0.1.0');
  assert.match(
    table('LaunchCondition')
      .map((row) => row['Condition'])
      .join('\n'),
    /NOT WIX_DOWNGRADE_DETECTED/,
  );
  assert.equal(property('ALLUSERS'), '1');
});

test('defaults of a build stand in the Property table; a build without them has none', {
  skip,
}, (t) => {
  const baked = smallPackage(temporaryFolder(t), {
    defaults: {
      ...{ SERVER: 'https://a.example:8443', KEYFILE: '\\\\srv\\keys$\\%COMPUTERNAME%.key' },
      ...{ PROGRAMS: 'winword.exe;Учёт (1).exe', CA: "C:\\it's & <our>\\ключ.pem" },
    },
  });
  assert.equal(property('SERVER', baked.msi), 'https://a.example:8443');
  assert.equal(property('KEYFILE', baked.msi), '\\\\srv\\keys$\\%COMPUTERNAME%.key');
  // wixl dies of these; the database says that it is UTF-8.
  assert.equal(property('PROGRAMS', baked.msi), 'winword.exe;Учёт (1).exe');
  assert.equal(property('CA', baked.msi), "C:\\it's & <our>\\ключ.pem");
  assert.match(property('MsiHiddenProperties', baked.msi) ?? '', /TOKEN/);
  const codepage = execFileSync('msiinfo', ['export', baked.msi, '_ForceCodepage'], {
    encoding: 'utf8',
  });
  assert.match(codepage, /^65001\t/m);
  for (const name of ['SERVER', 'TOKEN', 'KEY', 'KEYFILE', 'CA', 'PROGRAMS', 'SERVICEACCOUNT'])
    assert.equal(property(name), undefined, name);
});

test('two builds in different folders have the same bytes', { skip }, (t) => {
  const again = smallPackage(join(temporaryFolder(t), 'elsewhere'));
  assert.ok(readFileSync(msi).equals(readFileSync(again.msi)));
  const changed = smallPackage(temporaryFolder(t), { version: '0.1.1' });
  const code = (file: string): string =>
    /UUID\): (\S+)/.exec(execFileSync('msiinfo', ['suminfo', file], { encoding: 'utf8' }))?.[1] ??
    '';
  assert.match(code(msi), /^\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}$/);
  assert.notEqual(code(msi), code(changed.msi));
});

test('serviceSid() is what Windows computes: TrustedInstaller is well known', () => {
  assert.equal(
    serviceSid('TrustedInstaller'),
    'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464',
  );
});
