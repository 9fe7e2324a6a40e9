/**
 * Takes PowerShell scripts, gives what a careful reviewer would send back: what Windows PowerShell 5.1 does not know, aliases,
 * code made from text, output for eyes only, unquoted paths with variables, calls of functions with parameters they do not have,
 * and variables that nothing sets. The scripts cannot be run here, so misspellings must be found by reading.
 */
import { lineOf, type Node, nodesOf, parsePowerShell, powerShellTree } from './powershell.ts';
import { COMMON_PARAMETERS, WINDOWS_POWERSHELL_CMDLETS } from './windows-powershell-cmdlets.ts';

/** Name of a function to the names of its parameters; undefined where it takes what comes. */
type Functions = ReadonlyMap<string, readonly string[]>;

/** Automatic and preference variables that 5.1 has. `$IsWindows` and its like came with version 6. */
const AUTOMATIC_VARIABLES = new Set(
  [
    '_',
    'true',
    'false',
    'null',
    'args',
    'Error',
    'ErrorActionPreference',
    'ExecutionContext',
    'LASTEXITCODE',
    'Matches',
    'ProgressPreference',
    'PSCmdlet',
    'PSScriptRoot',
    'PSVersionTable',
    'WhatIfPreference',
  ].map((name) => name.toLowerCase()),
);

/** Members of .NET that Windows PowerShell's .NET Framework lacks. */
const LATER_MEMBERS =
  /::(ToHexString|FromHexString|ProcessId|ProcessPath|IsWindows|GetRelativePath|TrimEndingDirectorySeparator|Join\b(?!.*\[string\]))|SHA256\]::HashData|IO\.File\]::Move\([^,()]+,[^,()]+,/;

/** Ways around Invoke-Expression: code made from text. */
const CODE_FROM_TEXT =
  /\[(?:System\.Management\.Automation\.)?ScriptBlock\]::Create|\.(?:InvokeScript|NewScriptBlock|AddScript)\s*\(/i;

/** A program by its bare name is looked for in the folders of PATH, which others may be able to write. */
const BARE_PROGRAM = /^(["'])[^\\$]*\1$/;

const fault = (node: Node, words: string): string => `line ${lineOf(node)}: ${words}`;

/** `$script:Name`, `${Name}` and `@Name` all name the variable Name; variables of the environment are not meant. */
function variableName(text: string): string | undefined {
  if (/^[$@]\{?env:/i.test(text)) return undefined;
  return text
    .replace(/^[$@]\{?/, '')
    .replace(/\}$/, '')
    .replace(/^(script|global|local|private|using):/i, '')
    .toLowerCase();
}

function parametersOf(node: Node): readonly string[] {
  return [...nodesOf(node)]
    .filter(({ type }) => type === 'script_parameter')
    .flatMap((parameter) => parameter.children.filter(({ type }) => type === 'variable'))
    .map((variable) => variable.text.slice(1));
}

/** The functions that a script or module defines. */
export function functionsOf(text: string): Functions {
  const statements = [...nodesOf(powerShellTree(text))].filter(
    ({ type }) => type === 'function_statement',
  );
  return new Map(
    statements.map((statement) => [
      statement.children.find(({ type }) => type === 'function_name')?.text ?? '',
      parametersOf(statement),
    ]),
  );
}

function faultsOfCall(command: Node, functions: Functions): string[] {
  const nameNode = command.childForFieldName('command_name');
  const elements = command.childForFieldName('command_elements')?.children ?? [];
  const faults = elements
    .filter((element) => element.type === 'generic_token' && element.text.includes('$'))
    .map((element) => fault(element, `${element.text}: put quotes around it`));
  if (nameNode === null || nameNode.type !== 'command_name') {
    if (BARE_PROGRAM.test(nameNode?.text.trim() ?? ''))
      faults.push(fault(command, `${nameNode?.text}: give the program's full path`));
    return command.text.startsWith('.') || nameNode?.text.includes('\\') === true
      ? [...faults, fault(command, 'no dot-sourcing and no unquoted path; use Import-Module')]
      : faults;
  }
  const name = nameNode.text;
  const own = functions.get(name);
  const known = own ?? WINDOWS_POWERSHELL_CMDLETS[name];
  if (known === undefined) return [...faults, fault(command, `${name}: not a listed cmdlet`)];
  const allowed = new Set([...known, ...COMMON_PARAMETERS]);
  const wrong = elements
    .filter(({ type }) => type === 'command_parameter')
    .map((element) => ({ element, parameter: element.text.slice(1).replace(/:$/, '') }))
    .filter(({ parameter }) => !allowed.has(parameter))
    .map(({ element, parameter }) => fault(element, `${name} has no parameter -${parameter}`));
  return [...faults, ...wrong];
}

/** Variables that something sets: by assignment, as a parameter, as the variable of a loop. */
function setVariables(root: Node): ReadonlySet<string> {
  const names = [...nodesOf(root)].flatMap((node) => {
    if (node.type === 'left_assignment_expression') return [...nodesOf(node)];
    if (node.type === 'script_parameter' || node.type === 'foreach_statement') return node.children;
    return [];
  });
  return new Set(
    names
      .filter(({ type }) => type === 'variable')
      .map(({ text }) => variableName(text) ?? '')
      .filter((name) => name !== ''),
  );
}

function faultsOfVariables(root: Node): string[] {
  const known = setVariables(root);
  return [...nodesOf(root)]
    .filter(({ type }) => type === 'variable')
    .flatMap((node) => {
      const name = variableName(node.text);
      if (name === undefined || known.has(name) || AUTOMATIC_VARIABLES.has(name)) return [];
      return [fault(node, `${node.text}: nothing sets it`)];
    });
}

function faultsOfText(text: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const at = (words: string): string => `line ${index + 1}: ${words}`;
    const faults: string[] = [];
    if (/[^\x20-\x7e\r]/.test(line)) faults.push(at('not ASCII: 5.1 reads it by the code page'));
    if (/`\s*$/.test(line)) faults.push(at('a backtick ends the line; use splatting'));
    if (CODE_FROM_TEXT.test(line)) faults.push(at('code made from text'));
    if (LATER_MEMBERS.test(line)) faults.push(at('a .NET member that .NET Framework lacks'));
    return faults;
  });
}

/** What a module lets out: the functions that its Export-ModuleMember names. */
export function exportedFunctionsOf(module: string): Functions {
  const list = /^Export-ModuleMember -Function @\((?<names>[^)]*)\)/m.exec(module)?.groups?.[
    'names'
  ];
  const names = new Set([...(list ?? '').matchAll(/'([^']+)'/g)].map((match) => match[1]));
  return new Map([...functionsOf(module)].filter(([name]) => names.has(name)));
}

/** All faults of a script. `modules` are the texts of the modules that it imports. */
export function lintPowerShell(text: string, modules: readonly string[] = []): string[] {
  const root = powerShellTree(text);
  const functions: Functions = new Map([
    ...modules.flatMap((module) => [...exportedFunctionsOf(module)]),
    ...functionsOf(text),
  ]);
  const commands = [...nodesOf(root)].filter(({ type }) => type === 'command');
  const chains = [...nodesOf(root)]
    .filter(({ type }) => type === 'pipeline_chain_tail')
    .map((node) => fault(node, `${node.text}: Windows PowerShell has no pipeline chains`));
  return [
    ...parsePowerShell(text),
    ...commands.flatMap((command) => faultsOfCall(command, functions)),
    ...chains,
    ...faultsOfVariables(root),
    ...faultsOfText(text),
  ];
}
