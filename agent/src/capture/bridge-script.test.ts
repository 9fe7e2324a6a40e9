/**
 * Goal: windows/bridge.ps1 is whole PowerShell that a careful reviewer would let pass, though no Windows runs here.
 * Method: parse it with the tree-sitter grammar of PowerShell; look at its commands, its lines and its exit codes.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodesOf, parsePowerShell, powerShellTree } from '../../../tests/support/powershell.ts';
import { PROCESS_POLL } from '../map/windows-names.ts';
import { exitText, readBridgeLine } from './bridge-protocol.ts';

const SCRIPT = fileURLToPath(new URL('../../windows/bridge.ps1', import.meta.url));
const text = readFileSync(SCRIPT, 'utf8');

test('bridge.ps1 parses without an error or a missing piece', () => {
  assert.deepEqual(parsePowerShell(text), []);
});

test('the parser finds a brace that is missing (or this file proves nothing)', () => {
  assert.notDeepEqual(
    parsePowerShell(text.replace('function New-Reader {', 'function New-Reader ')),
    [],
  );
});

/** Every command by name, as written. */
const commands = [...nodesOf(powerShellTree(text))]
  .filter((node) => node.type === 'command_name')
  .map((node) => node.text);

test('bridge.ps1 calls nothing but its own functions and a few cmdlets by their full names', () => {
  const own = [...text.matchAll(/^function ([A-Z]\w+-\w+)/gm)].map((match) => match[1] ?? '');
  const allowed = new Set([
    ...own,
    'Write-Output',
    'New-Object',
    'Set-StrictMode',
    'Add-Type',
    'Get-CimInstance',
    'Invoke-CimMethod',
  ]);
  assert.ok(commands.length > 10);
  assert.deepEqual(
    commands.filter((name) => !allowed.has(name)),
    [],
  );
});

test('bridge.ps1 has no code from text, no host output, no code page of the console, no unrolled .Message', () => {
  const code = text.replace(/^\s*#.*$/gm, '');
  for (const banned of [
    /Invoke-Expression|\biex\b/i,
    /Write-Host/i,
    /Console\]::OutputEncoding/i,
    /Get-WinEvent/i,
    /Register-ObjectEvent/i,
    /FormatDescription/i,
    /\[xml\]/i,
  ]) {
    assert.doesNotMatch(code, banned);
  }
});

test('bridge.ps1 is ASCII with LF: a PowerShell 5.1 reads a file without a mark in the code page of the PC', () => {
  assert.match(text, /^[\n\x20-\x7e]*$/);
});

test('bridge.ps1 prints no time by the culture of the PC: 23.11.2026 09.00 is no time to the agent', () => {
  const formats = [...text.matchAll(/\.ToString\(([^)]*)\)/g)].map((match) => match[1]);
  assert.deepEqual(formats, ["'o'"]);
});

test('what process-poll writes has the provider that the mapper knows, and the shape of the recordings', () => {
  assert.ok(text.includes(`Name='${PROCESS_POLL.name}' Guid='${PROCESS_POLL.guid}'`));
  const recording = readFileSync(
    new URL('../../fixtures/bridge/denied.bridge', import.meta.url),
    'utf8',
  );
  const [polled = ''] = recording.split('\n').filter((line) => line.startsWith('P '));
  assert.deepEqual(
    [...text.matchAll(/Get-DataXml '(\w+)'/g)].map((match) => match[1]),
    [...polled.matchAll(/<Data Name='(\w+)'/g)].map((match) => match[1]),
  );
});

test('the language mode is looked at before the first .NET call', () => {
  const mode = text.indexOf('LanguageMode -ne');
  const firstCall = text.search(/^[^#\n]*(?:\[[A-Z][\w.]+\]::|New-Object)/m);
  assert.ok(mode > 0 && mode < firstCall);
});

test('every line that bridge.ps1 sends is one that the agent reads, and the header lists it', () => {
  const kinds = new Set([...text.matchAll(/Send-Line '([A-Z])'/g)].map((match) => match[1] ?? ''));
  const examples: Readonly<Record<string, string>> = {
    V: 'V 1 5.1.19041.1',
    S: 'S 10',
    E: '<Event></Event>',
    H: 'H 10 12 12',
    I: 'I 1 12 5 6 7 8 0 0 9',
    C: 'C 0 60000 5 3',
    P: '<Event></Event>',
    T: 'T 1000',
    G: 'G 10 20',
    R: 'R 10 1 5',
    U: 'U 12 EventLogException The data is invalid',
    W: 'W stale',
    F: '7 <Event></Event>',
    X: 'X bookmark',
  };
  for (const kind of kinds) {
    const example = examples[kind] ?? '';
    const line = example.includes('<') ? `${kind} ${example}` : example;
    assert.notEqual(readBridgeLine(line).kind, 'unknown', kind);
    assert.match(text, new RegExp(`^#   ${kind} `, 'm'));
  }
  assert.deepEqual([...kinds].sort(), Object.keys(examples).sort());
});

test('every exit code of bridge.ps1 has its words in the agent', () => {
  const codes = [...text.matchAll(/^\$exit\w+ = (\d+)$/gm)].map((match) => Number(match[1]));
  assert.deepEqual(codes, [3, 4, 5, 6, 7]);
  for (const code of [...codes, 8, 1, 0xfffd0000, -196608]) {
    assert.doesNotMatch(exitText(code, null), /broke off/, String(code));
  }
  assert.match(exitText(77, null), /broke off/);
});
