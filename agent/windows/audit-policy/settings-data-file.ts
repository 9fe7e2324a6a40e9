/**
 * Takes the settings table and the files of the backup, gives AuditPolicy.psd1: the same table in the form that
 * Import-PowerShellDataFile reads, with the SHA-256 of every file, so that a script can tell a damaged backup before it imports it.
 */
import { createHash } from 'node:crypto';
import type { GpoIdentity } from './gpo-identity.ts';
import type { AuditPolicySetting } from './settings.ts';

/** A single-quoted PowerShell string knows one escape: the doubled quote. Typographic quotes end it as well. */
function quote(text: string): string {
  return `'${text.replace(/['\u2018\u2019\u201A\u201B]/g, (sign) => sign + sign)}'`;
}

const LOCAL_KINDS = { registry: 'Registry', 'log-size': 'LogSize', 'log-mode': 'LogMode' } as const;

type Row = Readonly<Record<string, string | number>>;

function hashtable(row: Row, indent: string): string {
  const entries = Object.entries(row).map(
    ([key, value]) => `${indent}    ${key} = ${typeof value === 'number' ? value : quote(value)}`,
  );
  return [`${indent}@{`, ...entries, `${indent}}`].join('\r\n');
}

/** How the scripts reach a setting on a PC, and in which file of the GPO it stands. */
function rowOf(setting: AuditPolicySetting): Row {
  const { id, name, kind } = setting;
  if (kind === 'audit-subcategory') {
    const { guid, value } = setting;
    return {
      Id: id,
      Kind: 'AuditSubcategory',
      File: 'audit.csv',
      Name: name,
      Guid: guid,
      Value: value,
    };
  }
  const place = { Name: name, Key: setting.key, ValueName: setting.valueName };
  if (kind === 'security-option')
    return { Id: id, Kind: 'Registry', File: 'GptTmpl.inf', ...place, Value: setting.number };
  const { data, local } = setting;
  const value = data.type === 'REG_DWORD' ? data.number : data.text;
  return { Id: id, Kind: LOCAL_KINDS[local], File: 'registry.pol', ...place, Value: value };
}

/**
 * The whole file: ASCII (Windows PowerShell reads a file without a byte order mark in the system's code page), CRLF.
 * `files` are the backup's, by path with forward slashes from the folder that holds manifest.xml.
 */
export function settingsDataFile(
  identity: GpoIdentity,
  settings: readonly AuditPolicySetting[],
  files: ReadonlyMap<string, Buffer>,
): Buffer {
  const hashes = [...files].map(
    ([path, bytes]) =>
      `        ${quote(path)} = ${quote(createHash('sha256').update(bytes).digest('hex'))}`,
  );
  const lines = [
    '# Written by `make audit-policy` from settings.ts; do not edit by hand.',
    '@{',
    '    Gpo = @{',
    `        DisplayName = ${quote(identity.displayName)}`,
    `        BackupId = ${quote(identity.backupId)}`,
    `        Comment = ${quote(identity.comment)}`,
    '    }',
    '    Settings = @(',
    settings.map((setting) => hashtable(rowOf(setting), '        ')).join('\r\n'),
    '    )',
    '    # SHA-256 of the files below gpo-backup.',
    '    Files = @{',
    ...hashes,
    '    }',
    '}',
    '',
  ];
  const text = lines.join('\r\n');
  if (/[^\x20-\x7e\r\n]/.test(text))
    throw new Error('AuditPolicy.psd1: only ASCII reads the same everywhere');
  return Buffer.from(text, 'ascii');
}
