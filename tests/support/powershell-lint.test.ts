/**
 * Goal: what the lint lets pass is fit for Windows PowerShell 5.1, and what it should refuse it does refuse.
 * Method: one short script for each rule.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parsePowerShell } from './powershell.ts';
import { exportedFunctionsOf, lintPowerShell } from './powershell-lint.ts';

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['Get-ChildItem -Path "x" | % { $_ }', /%: not a listed cmdlet/],
  ['gci', /gci: not a listed cmdlet/],
  ['Write-Host "done"', /Write-Host: not a listed cmdlet/],
  ['Invoke-Expression "1"', /Invoke-Expression: not a listed cmdlet/],
  ['& ([scriptblock]::Create("1"))', /code made from text/],
  ['$ExecutionContext.InvokeCommand.InvokeScript("1")', /code made from text/],
  ["& 'powershell.exe' -Command 1", /give the program's full path/],
  ['[System.IO.File]::Move("a", "b", $true)', /\.NET Framework lacks/],
  ['iex "1"', /iex: not a listed cmdlet/],
  ['Get-FileHash -LiteralPath "x" -Algo SHA1', /Get-FileHash has no parameter -Algo$/],
  ['ConvertFrom-Json -InputObject "{}" -AsHashtable', /no parameter -AsHashtable/],
  ['$file = "a"; & "x.exe" /file:$file', /\/file:\$file: put quotes around it/],
  ['$name = "a"; Test-Path -LiteralPath C:\\x\\$name', /put quotes around it/],
  ['. $PSScriptRoot\\library.ps1', /no dot-sourcing/],
  ['Test-Path -LiteralPath "a" && Test-Path -LiteralPath "b"', /no pipeline chains/],
  ['if ($IsWindows) { 1 }', /\$IsWindows: nothing sets it/],
  ['$wanted = 1; $wantd', /\$wantd: nothing sets it/],
  ['$a = 1; $b = $a ?? 2', /ERROR/],
  ['$a = 1; $b = $a ? 1 : 2', /ERROR/],
  ['$a = 1; $b = $a?.Length', /ERROR/],
  ['if ($true) {', /line 1/],
  ['function Get-One { param($First) $First }; Get-One -Frist 1', /no parameter -Frist/],
  ['[System.Convert]::ToHexString(@(1))', /\.NET Framework lacks/],
  ['Test-Path `\n -LiteralPath "a"', /backtick/],
  ['# привет', /not ASCII/],
];

for (const [script, words] of REFUSED) {
  test(`lintPowerShell() refuses ${JSON.stringify(script)}`, () => {
    assert.match(lintPowerShell(script).join('\n'), words);
  });
}

test('lintPowerShell() lets a plain script pass', () => {
  const script = [
    'function Get-Sum {\n    param([int] $First, [int] $Second)\n    $First + $Second\n}',
    '$folder = Join-Path -Path $env:ProgramData -ChildPath "x"',
    'foreach ($item in Get-ChildItem -LiteralPath $folder -File) { Get-Sum -First 1 -Second $item.Length }',
    '$place = @{ Force = $true }',
    'Remove-Item -LiteralPath "$folder\\y" @place -Confirm:$false -ErrorAction Stop',
  ].join('\n');
  assert.deepEqual(lintPowerShell(script), []);
});

test('lintPowerShell() knows the functions that a module exports, and no other of them', () => {
  const module = [
    'function Get-Outer { param($Name) Get-Inner -Name $Name }',
    'function Get-Inner { param($Name) $Name }',
    "Export-ModuleMember -Function @(\n    'Get-Outer'\n)",
  ].join('\n');
  assert.deepEqual([...exportedFunctionsOf(module).keys()], ['Get-Outer']);
  assert.deepEqual(lintPowerShell('Get-Outer -Name 1', [module]), []);
  assert.match(lintPowerShell('Get-Inner -Name 1', [module]).join('\n'), /Get-Inner: not a listed/);
});

test('parsePowerShell() names the line of a fault, and nothing in a sound text', () => {
  assert.deepEqual(parsePowerShell('$a = 1\n$a'), []);
  assert.match(parsePowerShell('$a = 1\n$a = $a ?? 3').join('\n'), /^line 2: ERROR/m);
});
