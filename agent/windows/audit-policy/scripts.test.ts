/**
 * Goal: the scripts of this folder parse, pass the lint for Windows PowerShell 5.1, explain themselves, and agree with the table
 * and the pages of docs/. They were not run here: no Windows is at hand. Method: read them as text and as a syntax tree.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Node, nodesOf, powerShellTree } from '../../../tests/support/powershell.ts';
import { exportedFunctionsOf, lintPowerShell } from '../../../tests/support/powershell-lint.ts';
import { SETTINGS } from './settings.ts';

const here = import.meta.dirname;
const read = (file: string): string => readFileSync(join(here, file), 'utf8');

const MODULE = 'LaunchbeatAudit.psm1';
const SCRIPTS = [
  'Deploy-LaunchbeatGpo.ps1',
  'Set-LaunchbeatAudit.ps1',
  'Test-LaunchbeatAudit.ps1',
] as const;
const CHANGING: readonly string[] = ['Deploy-LaunchbeatGpo.ps1', 'Set-LaunchbeatAudit.ps1'];
const PAGES = ['audit-policy.md', 'audit-policy.ru.md'] as const;
const page = (name: string): string =>
  readFileSync(join(here, '../../../docs', name), 'utf8').replaceAll(/\s+/g, ' ');

function all(node: Node, type: string): Node[] {
  return [...nodesOf(node)].filter((one) => one.type === type);
}

/** The comment-based help of a script. */
const helpOf = (text: string): string => /<#(?<help>[\s\S]*?)#>/.exec(text)?.groups?.['help'] ?? '';

/** The text below a heading such as .NOTES. */
function section(help: string, name: string): string {
  const parts = help.split(/^\.([A-Z]+)(?: \w+)?\r?$/m);
  const at = parts.indexOf(name);
  return at < 0 ? '' : (parts[at + 1] ?? '');
}

/** Numbers that a script hands to exit. */
const exitCodesOf = (text: string): number[] =>
  [
    ...new Set(
      [...text.matchAll(/\bexit (\d+)$|\bexit (\d+) \}/gm)].map((match) =>
        Number(match[1] ?? match[2]),
      ),
    ),
  ].sort((a, b) => a - b);

for (const file of [...SCRIPTS, MODULE, 'AuditPolicy.psd1']) {
  test(`${file} passes the lint for Windows PowerShell 5.1`, () => {
    assert.deepEqual(lintPowerShell(read(file), file === MODULE ? [] : [read(MODULE)]), []);
  });
}

for (const file of SCRIPTS) {
  test(`${file} asks for 5.1 and an administrator, and explains itself`, () => {
    const text = read(file);
    assert.match(text, /^#requires -Version 5\.1$/m);
    assert.match(text, /^#requires -RunAsAdministrator$/m);
    const help = helpOf(text);
    for (const name of ['SYNOPSIS', 'DESCRIPTION', 'OUTPUTS', 'EXAMPLE', 'NOTES']) {
      assert.ok(section(help, name).trim().length > 10, `.${name}`);
    }
    const [parameters] = all(powerShellTree(text), 'param_block');
    assert.ok(parameters !== undefined);
    const names = all(parameters, 'script_parameter').map((one) =>
      one.children.find(({ type }) => type === 'variable')?.text.slice(1),
    );
    assert.deepEqual(
      [...help.matchAll(/^\.PARAMETER (\w+)$/gm)].map((match) => match[1]),
      names,
      'every parameter has its .PARAMETER, in order',
    );
  });

  test(`${file} ends with the exit codes that its help and the pages list, and with no others`, () => {
    const text = read(file);
    const notes = section(helpOf(text), 'NOTES');
    const listed = [...notes.matchAll(/(?:: |; |;\n\s+)(\d) /g)].map((match) => Number(match[1]));
    assert.deepEqual(exitCodesOf(text), listed);
    for (const name of PAGES) {
      const row = new RegExp(`\`${file.replace('.', '\\.')}\` \\|(?<cells>[^|]*)\\|`).exec(
        page(name),
      );
      const codes = [...(row?.groups?.['cells'] ?? '').matchAll(/(?:^|; ?)\s*\**(\d)\**[ :]/g)];
      assert.deepEqual(
        codes.map((match) => Number(match[1])),
        listed,
        name,
      );
    }
  });

  test(`${file} tells plainly that it cannot work in constrained language mode, before anything else`, () => {
    assert.match(
      read(file),
      /^try \{\n {4}if \(\$ExecutionContext\.SessionState\.LanguageMode -ne 'FullLanguage'\) \{\n {8}throw /m,
    );
  });

  test(`${file} stops at the first error, and says so in an exit code`, () => {
    const text = read(file);
    assert.match(text, /^\$ErrorActionPreference = 'Stop'$/m);
    assert.match(text, /Write-Error -ErrorRecord \$_ -ErrorAction Continue\n {4}exit 1/);
  });
}

test('scripts that change something know -WhatIf and ask before each change', () => {
  for (const file of SCRIPTS) {
    const text = read(file);
    assert.equal(/SupportsShouldProcess = \$true/.test(text), CHANGING.includes(file), file);
    assert.equal(/\$PSCmdlet\.ShouldProcess\(/.test(text), CHANGING.includes(file), file);
  }
});

test('the module stops at errors of its own, and exports only what it defines and what is used', () => {
  const text = read(MODULE);
  assert.match(text, /^\$ErrorActionPreference = 'Stop'$/m);
  const listed = [...(/Export-ModuleMember[\s\S]*$/.exec(text)?.[0] ?? '').matchAll(/'([^']+)'/g)];
  const exported = [...exportedFunctionsOf(text).keys()];
  assert.deepEqual(
    [...listed.map((match) => match[1])].sort(),
    [...exported].sort(),
    'each exported name is a function',
  );
  const scripts = SCRIPTS.map(read).join('\n');
  assert.deepEqual(
    exported.filter((name) => !scripts.includes(name)),
    [],
  );
});

test('undo files and former backups go into no folder that somebody else made, and through no link', () => {
  const functions = all(powerShellTree(read(MODULE)), 'function_statement');
  const text = (name: string): string =>
    functions.find((one) => one.text.startsWith(`function ${name} `))?.text ?? '';
  const trusts = text('Assert-TrustedFolder');
  assert.match(trusts, /ReparsePoint\) -ne 0\) \{\s+throw/);
  assert.match(trusts, /'S-1-5-18', 'S-1-5-32-544', .* -notcontains \$owner\) \{\s+throw/);
  const makes = text('New-ProtectedFolder');
  assert.match(makes, /-PathType Container\) \{\s+Assert-TrustedFolder -Path \$Path\s+return/);
  assert.doesNotMatch(makes, /New-Item[^\n]*-Force/);
  assert.match(text('Write-UndoFile'), /FileMode\]::CreateNew/);
  assert.doesNotMatch(text('Write-UndoFile'), /WriteAllText/);
  assert.match(
    read('Deploy-LaunchbeatGpo.ps1'),
    /New-ProtectedFolder -Path \$folder\s+\$backup = Backup-GPO/,
  );
});

test('the module handles each kind of setting in all three of reading, setting and restoring', () => {
  const kinds = new Set(
    [...read('AuditPolicy.psd1').matchAll(/Kind = '(\w+)'/g)].map((match) => match[1]),
  );
  const functions = all(powerShellTree(read(MODULE)), 'function_statement');
  for (const name of ['Get-SettingState', 'Set-Setting', 'Restore-Setting']) {
    const text = functions.find((one) => one.text.startsWith(`function ${name} `))?.text ?? '';
    assert.deepEqual(
      new Set([...text.matchAll(/^ {8}'(\w+)' \{$/gm)].map((match) => match[1])),
      kinds,
      name,
    );
  }
});

test('subcategories go by GUID: no script knows a localised name or word of auditpol', () => {
  for (const file of [...SCRIPTS, MODULE]) {
    const code = read(file)
      .replaceAll(/<#[\s\S]*?#>/g, '')
      .replaceAll(/#.*$/gm, '');
    assert.doesNotMatch(
      code,
      /Process Creation|'Success'|No Auditing|BUILTIN|Administrators'/,
      file,
    );
  }
});

test('the pages list every setting of the table with its CSP row', () => {
  for (const name of PAGES) {
    const text = page(name);
    for (const { csp, id } of SETTINGS) {
      if (name === 'audit-policy.md') assert.ok(text.includes(csp.since), csp.since);
      for (const words of [csp.uri, csp.value, id])
        assert.ok(text.includes(words), `${name}: ${words}`);
    }
  }
});

// -- the patterns in the scripts, on data. Their syntax is the same in .NET and in JavaScript. --------------------------

/** The single-quoted strings of a function, as PowerShell reads them. */
function stringsOf(file: string, name: string): string[] {
  const functions = all(powerShellTree(read(file)), 'function_statement');
  const text = functions.find((one) => one.text.startsWith(`function ${name} `))?.text ?? '';
  return [...text.matchAll(/'((?:[^'\n]|'')*)'/g)].map((match) =>
    (match[1] ?? '').replaceAll("''", "'"),
  );
}

const escapeRegExp = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

/** Number that ConvertFrom-AuditpolBackup would find for System, by its own pattern and its way of reading bytes. */
function auditpolValue(file: Buffer, guid: string): string[] {
  const [head = '', tail = ''] = stringsOf(MODULE, 'ConvertFrom-AuditpolBackup').filter((text) =>
    /[$^]/.test(text),
  );
  const pattern = new RegExp(head + escapeRegExp(guid) + tail, 'i');
  return file
    .toString('latin1')
    .replaceAll('\0', '')
    .split(/\r\n|\n|\r/)
    .flatMap((line) => {
      const match = pattern.exec(line);
      return match?.[1] === 'System' ? [match[2] ?? ''] : [];
    });
}

const GUID = '{0cce922b-69ae-11d9-bed3-505054503030}';
const BACKUP_ROWS = (subcategory: string, inclusion: string): string =>
  [
    'Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value',
    `PC,System,X,{0CCE9213-69AE-11D9-BED3-505054503030},${inclusion},,0`,
    `PC,System,${subcategory},${GUID.toUpperCase()},${inclusion},,1`,
    `PC,{S-1-5-21-1-2-3-1001},${subcategory},${GUID.toUpperCase()},Include,,2`,
    'PC,,Option:CrashOnAuditFail,,Disabled,,0',
    '',
  ].join('\r\n');

test('the number of a subcategory is found whatever the language and encoding of auditpol', () => {
  const russian = BACKUP_ROWS('Создание процесса', 'Успех');
  for (const [file, what] of [
    [Buffer.from(BACKUP_ROWS('Process Creation', 'Success'), 'latin1'), 'English, ANSI'],
    [Buffer.from(BACKUP_ROWS('Creaci\xf3n del proceso', 'Aciertos'), 'latin1'), 'Spanish, ANSI'],
    [Buffer.from(russian), 'Russian, UTF-8'],
    [Buffer.from(`\uFEFF${russian}`, 'utf16le'), 'Russian, UTF-16'],
  ] as const) {
    assert.deepEqual(auditpolValue(file, GUID), ['1'], what);
  }
});

test('Deploy-LaunchbeatGpo.ps1 finds the settings in the very files of the backup, and misses changed ones', () => {
  const machine =
    'gpo-backup/{5D3C0A51-6E0B-4B0E-9C0F-4688A0D17001}/DomainSysvol/GPO/Machine/microsoft/windows nt';
  const csv = readFileSync(join(here, machine, 'Audit/audit.csv'), 'latin1');
  const template = readFileSync(join(here, machine, 'SecEdit/GptTmpl.inf'), 'utf16le').slice(1);
  const [ofCsv = '', ofTemplate = ''] = stringsOf(SCRIPTS[0], 'Test-ImportedGpo').filter((text) =>
    text.startsWith('(?im)'),
  );
  const fill = (pattern: string, what: string, value: number): RegExp =>
    new RegExp(
      pattern.replace('(?im)', '').replace('{0}', escapeRegExp(what)).replace('{1}', String(value)),
      'im',
    );
  const key = 'MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\SCENoApplyLegacyAuditPolicy';
  assert.match(csv, fill(ofCsv, GUID, 1));
  assert.doesNotMatch(csv, fill(ofCsv, GUID, 4));
  assert.match(template, fill(ofTemplate, key, 1));
  assert.doesNotMatch(template.replace('=4,1', '=4,0'), fill(ofTemplate, key, 1));
});

test('the canary is found by its process id in both forms of event XML, and only where it is the new process', () => {
  const source = read('Test-LaunchbeatAudit.ps1');
  const written =
    /-match "(?<pattern><Data Name=.*?)" -and/.exec(source)?.groups?.['pattern'] ?? '';
  const pattern = new RegExp(written.replaceAll('""', '"'), 'i');
  const found = (xml: string): number => Number.parseInt(pattern.exec(xml)?.[1] ?? '', 16);
  assert.equal(
    found("<Data Name='NewProcessId'>0x1a4</Data><Data Name='ProcessId'>0x240</Data>"),
    0x1a4,
  );
  assert.equal(found('<Data Name="NewProcessId">0x1A4</Data>'), 0x1a4);
  assert.ok(Number.isNaN(found("<Data Name='ProcessId'>0x1a4</Data>")));
});
