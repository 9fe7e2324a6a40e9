/**
 * Goal: the backup that administrators import says what the settings table says, in the formats that Windows reads, and the
 * committed bytes are those which the generator gives. Method: readers of our own, written from the specifications and not from
 * the writers, read every committed file; a real file of the format is compared byte by byte where it is at hand.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { SaxesParser } from 'saxes';
import { corpusFolder } from '../../../tests/support/corpus.ts';
import { BACKUP_FOLDER, DATA_FILE, generatedFiles } from './gpo-backup.ts';
import { registryPol } from './registry-pol.ts';
import { PROCESS_CREATION, REGISTRY_POLICIES, SETTINGS, SUBCATEGORY_OVERRIDE } from './settings.ts';
import { settingsDataFile } from './settings-data-file.ts';

const here = import.meta.dirname;
const BACKUP_ID = '{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}';
const MACHINE = `${BACKUP_FOLDER}/${BACKUP_ID}/DomainSysvol/GPO/Machine`;
const OPERATIONS = 'http://www.microsoft.com/GroupPolicy/GPOOperations';
const SETTINGS_NAMESPACE = 'http://www.microsoft.com/GroupPolicy/Settings';

const committed = (path: string): Buffer => readFileSync(join(here, path));

// -- readers -----------------------------------------------------------------------------------------------------------

interface PolRecord {
  readonly key: string;
  readonly valueName: string;
  readonly type: number;
  readonly data: Buffer;
}

/** [MS-GPREG] 2.2.1: reads a body by its delimiters and its sizes; throws where a byte is not what it must be. */
function readRegistryPol(file: Buffer): PolRecord[] {
  assert.equal(file.toString('latin1', 0, 4), 'PReg');
  assert.equal(file.readUInt32LE(4), 1);
  let offset = 8;
  const sign = (wanted: string): void => {
    assert.equal(String.fromCharCode(file.readUInt16LE(offset)), wanted, `at byte ${offset}`);
    offset += 2;
  };
  const text = (): string => {
    const start = offset;
    while (file.readUInt16LE(offset) !== 0) offset += 2;
    offset += 2;
    return file.toString('utf16le', start, offset - 2);
  };
  const number = (): number => {
    offset += 4;
    return file.readUInt32LE(offset - 4);
  };
  const records: PolRecord[] = [];
  while (offset < file.length) {
    sign('[');
    const key = text();
    sign(';');
    const valueName = text();
    sign(';');
    const type = number();
    sign(';');
    const size = number();
    sign(';');
    records.push({ key, valueName, type, data: file.subarray(offset, offset + size) });
    offset += size;
    sign(']');
  }
  return records;
}

function utf16Text(file: Buffer): string {
  assert.deepEqual([...file.subarray(0, 2)], [0xff, 0xfe], 'a byte order mark');
  return file.toString('utf16le', 2);
}

interface Element {
  readonly uri: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** A document as a tree; throws where it is not well-formed or a prefix has no namespace. */
function readXml(text: string): Element {
  const parser = new SaxesParser({ xmlns: true });
  const root: Element = { uri: '', name: '', attributes: {}, children: [], text: '' };
  const open = [root];
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes).map(({ uri, local, value }) => [
      uri === '' ? local : `${uri} ${local}`,
      value,
    ]);
    const element: Element = {
      uri: tag.uri,
      name: tag.local,
      attributes: Object.fromEntries(attributes),
      children: [],
      text: '',
    };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  const addText = (more: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += more;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.on('closetag', () => open.pop());
  parser.write(text).close();
  const [document] = root.children;
  assert.ok(document !== undefined);
  return document;
}

function all(element: Element, name: string): Element[] {
  return element.children.flatMap((child) => [
    ...(child.name === name ? [child] : []),
    ...all(child, name),
  ]);
}

function one(element: Element, name: string): Element {
  const found = all(element, name);
  assert.equal(found.length, 1, `${name} in ${element.name}`);
  return found[0] as Element;
}

const textOf = (element: Element, name: string): string => one(element, name).text;

// -- the files ---------------------------------------------------------------------------------------------------------

test('the committed files are those that the generator gives; after a change: make audit-policy', () => {
  for (const [path, bytes] of generatedFiles()) {
    assert.ok(existsSync(join(here, path)), `${path} is missing`);
    assert.ok(committed(path).equals(bytes), `${path} differs`);
  }
  const found = globSync('**/*', { cwd: join(here, BACKUP_FOLDER), withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const wanted = [...generatedFiles().keys()].filter((path) => path !== DATA_FILE);
  assert.deepEqual(found.sort(), wanted.map((path) => join(here, path)).sort());
});

test('registry.pol holds the registry policies of the table, and nothing else', () => {
  const records = readRegistryPol(committed(`${MACHINE}/registry.pol`));
  const wanted = REGISTRY_POLICIES.map(({ key, valueName, data }) => ({
    key,
    valueName,
    type: data.type === 'REG_DWORD' ? 4 : 1,
    value: data.type === 'REG_DWORD' ? data.number : data.text,
  }));
  const got = records.map(({ key, valueName, type, data }) => ({
    key,
    valueName,
    type,
    value: type === 4 ? data.readUInt32LE() : data.toString('utf16le').replace(/\0$/, ''),
  }));
  assert.deepEqual(got, wanted);
  assert.deepEqual(
    records.map(({ data }) => data.length),
    [4, 4, 4],
    'a DWORD has 4 bytes; the text "0" has 4 with the zero that ends it',
  );
});

test('registry.pol equals a file made elsewhere, byte by byte, for the two values that file has', (t) => {
  const file = join(corpusFolder(), 'registry.pol');
  if (!existsSync(file)) {
    t.skip(`${file} is not here`);
    return;
  }
  const numbers = REGISTRY_POLICIES.filter(({ data }) => data.type === 'REG_DWORD');
  assert.equal(numbers.length, 2);
  assert.ok(readFileSync(file).equals(registryPol(numbers)));
  assert.deepEqual(
    readRegistryPol(committed(`${MACHINE}/registry.pol`)).slice(0, 2),
    readRegistryPol(readFileSync(file)),
  );
});

test('audit.csv has the columns and values of [MS-GPAC] for the subcategory', () => {
  const text = committed(`${MACHINE}/microsoft/windows nt/Audit/audit.csv`).toString('latin1');
  const lines = text.split('\r\n');
  assert.equal(lines.pop(), '', 'the last line ends too');
  const [columns, ...rows] = lines.map((line) => line.split(','));
  assert.deepEqual(columns, [
    'Machine Name',
    'Policy Target',
    'Subcategory',
    'Subcategory GUID',
    'Inclusion Setting',
    'Exclusion Setting',
    'Setting Value',
  ]);
  const { name, guid, value } = PROCESS_CREATION;
  assert.deepEqual(rows, [['', 'System', name, guid, 'Success', '', String(value)]]);
  assert.equal(guid, '{0cce922b-69ae-11d9-bed3-505054503030}');
});

test('GptTmpl.inf has the security option, and only known sections', () => {
  const text = utf16Text(committed(`${MACHINE}/microsoft/windows nt/SecEdit/GptTmpl.inf`));
  assert.ok(text.endsWith('\r\n'));
  const sections = new Map<string, string[]>();
  let section = '';
  for (const line of text.trimEnd().split('\r\n')) {
    section = /^\[(?<name>.+)\]$/.exec(line)?.groups?.['name'] ?? section;
    if (!line.startsWith('[')) sections.set(section, [...(sections.get(section) ?? []), line]);
  }
  const { key, valueName, number } = SUBCATEGORY_OVERRIDE;
  assert.deepEqual(Object.fromEntries(sections), {
    Unicode: ['Unicode=yes'],
    Version: ['signature="$CHICAGO$"', 'Revision=1'],
    'Registry Values': [`MACHINE\\${key}\\${valueName}=4,${number}`],
  });
});

test('manifest.xml and bkupInfo.xml name the same backup, and the folder has its id', () => {
  const manifest = readXml(committed(`${BACKUP_FOLDER}/manifest.xml`).toString());
  const info = readXml(committed(`${BACKUP_FOLDER}/${BACKUP_ID}/bkupInfo.xml`).toString());
  assert.equal(manifest.name, 'Backups');
  assert.equal(manifest.uri, `${OPERATIONS}/Manifest`);
  assert.equal(manifest.attributes[`${OPERATIONS}/Manifest version`], '1.0');
  const listed = one(manifest, 'BackupInst');
  assert.deepEqual(listed.children, info.children);
  assert.equal(info.uri, `${OPERATIONS}/Manifest`);
  assert.deepEqual(
    info.children.map(({ name }) => name),
    [
      'GPOGuid',
      'GPODomain',
      'GPODomainGuid',
      'GPODomainController',
      'BackupTime',
      'ID',
      'Comment',
      'GPODisplayName',
    ],
  );
  assert.equal(textOf(info, 'ID'), BACKUP_ID);
  assert.match(textOf(info, 'BackupTime'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
});

const backup = (): Element =>
  readXml(committed(`${BACKUP_FOLDER}/${BACKUP_ID}/Backup.xml`).toString());
const bkp = (element: Element, name: string): string | undefined =>
  element.attributes[`${OPERATIONS} ${name}`];

test('Backup.xml refers to every file of the backup by a path that is there, and to each once', () => {
  const root = backup();
  assert.equal(root.name, 'GroupPolicyBackupScheme');
  assert.equal(root.uri, OPERATIONS);
  assert.equal(bkp(root, 'version'), '2.0');
  assert.equal(bkp(root, 'type'), 'GroupPolicyBackupTemplate');
  const files = all(root, 'FSObjectFile').flatMap((file) => bkp(file, 'Location') ?? []);
  const folders = all(root, 'FSObjectDir').flatMap((folder) => bkp(folder, 'Location') ?? []);
  const onDisk = (location: string): string =>
    join(here, BACKUP_FOLDER, BACKUP_ID, ...location.split('\\'));
  for (const location of [...files, ...folders]) assert.ok(existsSync(onDisk(location)), location);
  const payload = [...generatedFiles().keys()].filter((path) => path.includes('/DomainSysvol/'));
  assert.deepEqual(files.map(onDisk).sort(), payload.map((path) => join(here, path)).sort());
  for (const object of [...all(root, 'FSObjectFile'), ...all(root, 'FSObjectDir')]) {
    const location = bkp(object, 'Location');
    if (location === undefined) continue;
    const below = location.replace('DomainSysvol\\GPO\\Machine\\', '');
    assert.equal(bkp(object, 'Path'), `%GPO_MACH_FSPATH%\\${below}`);
    assert.ok(bkp(object, 'SourceExpandedPath')?.endsWith(`\\Machine\\${below}`));
  }
});

test('Backup.xml names the three client-side extensions, ascending, each with its editor', () => {
  const root = backup();
  assert.equal(
    textOf(root, 'MachineExtensionGuids'),
    '[{35378EAC-683F-11D2-A89A-00C04FBBCFA2}{D02B1F72-3407-48AE-BA88-E8213C6761F1}]' +
      '[{827D319E-6EAC-11D2-A4EA-00C04F79F83A}{803E14A0-B4FB-11D0-A0D0-00A0C90F574B}]' +
      '[{F3CCC681-B74C-4060-9F26-CD84525DCA2A}{0F3F3735-573D-9804-99E4-AB2A69BA5FD4}]',
  );
  assert.equal(textOf(root, 'UserExtensionGuids'), '');
  assert.equal(textOf(root, 'UserVersionNumber'), '0');
  const version = Number(textOf(root, 'MachineVersionNumber'));
  assert.equal(version >>> 16, version & 0xffff, 'AD and SYSVOL halves');
  assert.ok(version > 0, 'version 0 is not processed');
  assert.deepEqual(
    all(root, 'GroupPolicyExtension').map((extension) => bkp(extension, 'ID')),
    [
      '{35378EAC-683F-11D2-A89A-00C04FBBCFA2}',
      '{827D319E-6EAC-11D2-A4EA-00C04F79F83A}',
      '{F15C46CD-82A0-4C2D-A210-5D0D3182A418}',
    ],
  );
});

test('the security descriptor is whole and names no domain', () => {
  const bytes = Buffer.from(textOf(backup(), 'SecurityDescriptor').replaceAll(' ', ''), 'hex');
  const sidAt = (at: number): string => {
    const count = bytes.readUInt8(at + 1);
    const parts = Array.from({ length: count }, (_, index) =>
      bytes.readUInt32LE(at + 8 + 4 * index),
    );
    return ['S', bytes.readUInt8(at), bytes.readUIntBE(at + 2, 6), ...parts].join('-');
  };
  assert.equal(bytes.readUInt8(0), 1);
  assert.ok((bytes.readUInt16LE(2) & 0x8004) === 0x8004, 'self-relative, with a DACL');
  assert.equal(sidAt(bytes.readUInt32LE(4)), 'S-1-5-32-544');
  assert.equal(sidAt(bytes.readUInt32LE(8)), 'S-1-5-32-544');
  assert.equal(bytes.readUInt32LE(12), 0, 'no SACL');
  const list = bytes.readUInt32LE(16);
  assert.equal(list + bytes.readUInt16LE(list + 2), bytes.length, 'the DACL ends the descriptor');
  let at = list + 8;
  const entries: string[] = [];
  for (let index = 0; index < bytes.readUInt16LE(list + 4); index++) {
    const isObject = bytes.readUInt8(at) === 5;
    entries.push(`${bytes.readUInt32LE(at + 4).toString(16)} ${sidAt(at + (isObject ? 28 : 8))}`);
    at += bytes.readUInt16LE(at + 2);
  }
  assert.equal(at, bytes.length);
  assert.deepEqual(entries, [
    '100 S-1-5-11',
    'f00ff S-1-5-32-544',
    '20094 S-1-5-9',
    '20094 S-1-5-11',
    'f00ff S-1-5-18',
  ]);
});

test('gpreport.xml shows the settings of the table', () => {
  const report = readXml(utf16Text(committed(`${BACKUP_FOLDER}/${BACKUP_ID}/gpreport.xml`)));
  assert.equal(report.name, 'GPO');
  assert.equal(report.uri, SETTINGS_NAMESPACE);
  const computer = one(report, 'Computer');
  assert.deepEqual(
    all(computer, 'RegistrySetting').map((setting) => {
      const value = one(setting, 'Value');
      return [textOf(setting, 'KeyPath'), textOf(value, 'Name'), value.children.at(-1)?.text];
    }),
    REGISTRY_POLICIES.map(({ key, valueName, data }) => [
      key,
      valueName,
      data.type === 'REG_DWORD' ? String(data.number) : data.text,
    ]),
  );
  const audit = one(computer, 'AuditSetting');
  assert.equal(audit.uri, `${SETTINGS_NAMESPACE}/Auditing`);
  assert.equal(textOf(audit, 'SubcategoryGuid'), PROCESS_CREATION.guid);
  assert.equal(textOf(audit, 'SettingValue'), String(PROCESS_CREATION.value));
  const option = one(computer, 'SecurityOptions');
  assert.equal(
    textOf(option, 'KeyName'),
    `MACHINE\\${SUBCATEGORY_OVERRIDE.key}\\${SUBCATEGORY_OVERRIDE.valueName}`,
  );
  assert.equal(textOf(option, 'SettingNumber'), String(SUBCATEGORY_OVERRIDE.number));
  assert.equal(all(one(report, 'User'), 'ExtensionData').length, 0);
});

test('the ids of the table are different, and each CSP row is whole', () => {
  assert.equal(new Set(SETTINGS.map(({ id }) => id)).size, SETTINGS.length);
  for (const { csp } of SETTINGS) {
    assert.match(csp.uri, /^\.\/Device\/Vendor\/MSFT\/Policy\/Config\/\w+\/\w+$/);
    if (csp.format === 'integer') assert.match(csp.value, /^\d+$/);
    else assert.match(csp.value, /^<(enabled|disabled)\/>/);
  }
});

test('AuditPolicy.psd1 has the digest of every file of the backup', () => {
  const text = committed(DATA_FILE).toString('latin1');
  const digests = [...text.matchAll(/^ {8}'(.+)' = '([0-9a-f]{64})'\r$/gm)];
  const wanted = [...generatedFiles()]
    .filter(([path]) => path !== DATA_FILE)
    .map(([path, bytes]) => [
      path.replace(`${BACKUP_FOLDER}/`, ''),
      createHash('sha256').update(bytes).digest('hex'),
    ]);
  assert.deepEqual(
    digests.map(([, path, digest]) => [path, digest]),
    wanted,
  );
});

test('settingsDataFile() doubles quotes, and refuses what is not ASCII', () => {
  const identity = { displayName: "it's", backupId: '{1}', comment: '' };
  const whole = {
    ...identity,
    gpoId: '',
    domain: '',
    domainId: '',
    domainController: '',
    backupTime: '',
    version: 1,
  };
  assert.match(settingsDataFile(whole, [], new Map()).toString(), /DisplayName = 'it''s'/);
  assert.throws(
    () => settingsDataFile({ ...whole, displayName: 'Политика' }, [], new Map()),
    /only ASCII/,
  );
});
