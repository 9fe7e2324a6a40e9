/**
 * Goal: the ZIP's scripts parse, pass the lint for Windows PowerShell 5.1, explain themselves, change nothing without asking, and
 * never put the key into a command line. They were not run here: no Windows is at hand.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { lintPowerShell } from '../../../tests/support/powershell-lint.ts';
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
