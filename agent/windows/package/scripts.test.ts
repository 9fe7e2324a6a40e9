/**
 * Goal: the ZIP's scripts parse, pass the lint for Windows PowerShell 5.1, explain themselves, change nothing without asking, and
 * never put the key into a command line. They were not run here: no Windows is at hand.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lintPowerShell } from '../../../tests/support/powershell-lint.ts';
import { PRODUCT, STAGE_CONTENTS } from './layout.ts';
import { ZIP_SCRIPTS } from './stage.ts';

for (const { name } of ZIP_SCRIPTS) {
  const text = readFileSync(join(import.meta.dirname, name), 'utf8');
  const help = /<#(?<help>[\s\S]*?)#>/.exec(text)?.groups?.['help'] ?? '';

  test(`${name} passes the lint for Windows PowerShell 5.1`, () => {
    assert.deepEqual(lintPowerShell(text), []);
  });

  test(`${name} asks for 5.1 and an administrator, knows -WhatIf, and stops at the first error`, () => {
    assert.match(text, /^#requires -Version 5\.1$/m);
    assert.match(text, /^#requires -RunAsAdministrator$/m);
    assert.match(text, /SupportsShouldProcess = \$true/);
    assert.match(text, /\$PSCmdlet\.ShouldProcess\(/);
    assert.match(text, /^\$ErrorActionPreference = 'Stop'$/m);
  });

  test(`${name} tells plainly that it cannot work in constrained language mode, where it cannot`, () => {
    const usesTypes = /\[System\.|New-Object/.test(text);
    assert.equal(/LanguageMode -ne 'FullLanguage'\) \{\n {8}throw /.test(text), usesTypes);
  });

  test(`${name} ends with the exit codes that its help lists, and with no others`, () => {
    const used = new Set([...text.matchAll(/\bexit (\d)/g)].map((match) => match[1]));
    const listed = new Set([...help.matchAll(/(?:: |; |;\n\s+)(\d) /g)].map((match) => match[1]));
    assert.deepEqual([...used].sort(), [...listed].sort());
  });

  test(`${name} describes each of its parameters`, () => {
    const parameters = /\nparam\((?<list>[\s\S]*?)\n\)/.exec(text)?.groups?.['list'] ?? '';
    const names = [...parameters.matchAll(/\] \$(\w+)/g)].map((match) => match[1]);
    assert.deepEqual(
      [...help.matchAll(/^\.PARAMETER (\w+)$/gm)].map((match) => match[1]),
      names,
    );
  });
}

test('key and token reach launchbeat.exe by standard input or as a file, never as an argument', () => {
  const text = readFileSync(join(import.meta.dirname, 'install.ps1'), 'utf8');
  assert.doesNotMatch(text, /'--key'|\[string\] \$Key\b/);
  assert.match(text, /\$key \| & \$exe @setup/);
  const enrol = readFileSync(join(import.meta.dirname, 'enroll.ps1'), 'utf8');
  assert.doesNotMatch(enrol, /--token|\[string\] \$Token\b/);
  assert.match(enrol, /\$token \| & \$exe @arguments/);
});

test('install.ps1 copies what the ZIP holds, and nothing that lies beside it', () => {
  const text = readFileSync(join(import.meta.dirname, 'install.ps1'), 'utf8');
  const list = /^\$contents = @\((?<names>[\s\S]*?)^\)/m.exec(text)?.groups?.['names'] ?? '';
  const names = [...list.matchAll(/'([^']+)'/g)].map((match) => match[1]);
  const scripts = ZIP_SCRIPTS.map(({ name }) => name);
  assert.deepEqual([...names].sort(), [...STAGE_CONTENTS, ...scripts].sort());
  assert.match(text, /foreach \(\$item in \$contents\) \{\n {12}\$from = [^\n]*\n {12}Copy-Item/);
  assert.equal(text.match(/Copy-Item/g)?.length, 1);
});

test('install.ps1 leaves the account alone unless one is given, and puts a former version back', () => {
  const text = readFileSync(join(import.meta.dirname, 'install.ps1'), 'utf8');
  assert.match(text, /if \(\$Account\) \{ \$setup \+= '--account', \$Account \}/);
  assert.equal(text.match(/Restore-Former -Program \$program/g)?.length, 3);
  const copied = text.indexOf('Copy-Item');
  assert.ok(text.indexOf("Invoke-Net -Verb 'stop'\n            Move-Folder") > copied);
});

test('the scripts of the ZIP keep off what the MSI installed: they look at the value that it alone writes', () => {
  const source = readFileSync(join(import.meta.dirname, 'msi-source.ts'), 'utf8');
  assert.match(source, /Key="SOFTWARE\\\\\$\{PRODUCT\.name\}" Name="ServiceAccount"/);
  for (const name of ['install.ps1', 'uninstall.ps1']) {
    const text = readFileSync(join(import.meta.dirname, name), 'utf8');
    const check = text.indexOf(`'HKLM:\\SOFTWARE\\${PRODUCT.name}' -Name 'ServiceAccount'`);
    assert.ok(check > 0 && check < text.indexOf('$PSCmdlet.ShouldProcess('), name);
  }
});
