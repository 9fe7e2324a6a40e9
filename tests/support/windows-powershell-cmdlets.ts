/**
 * The cmdlets that scripts of this repository may call, each with its parameters in Windows PowerShell 5.1 (Microsoft's reference
 * of that version). A list of what is allowed, not of what is forbidden: it catches aliases, misspelt names and parameters
 * that only later versions have. To use another one, look it up in the 5.1 reference and add it here.
 */

/** Every cmdlet has these. */
export const COMMON_PARAMETERS: readonly string[] = [
  'Debug',
  'ErrorAction',
  'ErrorVariable',
  'InformationAction',
  'OutVariable',
  'Verbose',
  'WarningAction',
];

/** Cmdlets that change something have these as well. */
const CHANGES = ['Confirm', 'WhatIf'];
/** Cmdlets of the GroupPolicy module have these. */
const PLACE = ['Domain', 'Server'];

export const WINDOWS_POWERSHELL_CMDLETS: Readonly<Record<string, readonly string[]>> = {
  'ConvertFrom-Json': ['InputObject'],
  'ConvertTo-Json': ['InputObject', 'Depth', 'Compress'],
  'Export-ModuleMember': ['Function', 'Cmdlet', 'Variable', 'Alias'],
  'Get-Acl': ['Path', 'LiteralPath', 'Audit', 'Filter', 'Include', 'Exclude'],
  'Get-ChildItem': [
    'Path',
    'LiteralPath',
    'Filter',
    'Include',
    'Exclude',
    'Recurse',
    'Depth',
    'Force',
    'Name',
    'File',
    'Directory',
    'Hidden',
  ],
  'Get-CimInstance': ['ClassName', 'Namespace', 'Filter', 'Property', 'Query', 'ComputerName'],
  'Get-FileHash': ['Path', 'LiteralPath', 'InputStream', 'Algorithm'],
  'Import-Module': ['Name', 'Force', 'Global', 'Prefix', 'Function', 'PassThru', 'Scope'],
  'Import-PowerShellDataFile': ['Path', 'LiteralPath'],
  'Join-Path': ['Path', 'ChildPath', 'Resolve'],
  'Move-Item': ['Path', 'LiteralPath', 'Destination', 'Force', 'PassThru', ...CHANGES],
  'New-Item': ['Path', 'Name', 'ItemType', 'Value', 'Force', ...CHANGES],
  'New-Object': ['TypeName', 'ArgumentList', 'Property', 'ComObject', 'Strict'],
  'Remove-Item': ['Path', 'LiteralPath', 'Recurse', 'Force', ...CHANGES],
  'Select-Object': ['InputObject', 'Property', 'ExpandProperty', 'First', 'Last', 'Skip', 'Unique'],
  'Set-Acl': ['Path', 'LiteralPath', 'AclObject', 'Passthru', ...CHANGES],
  'Split-Path': ['Path', 'LiteralPath', 'Parent', 'Leaf', 'Qualifier', 'Resolve'],
  'Start-Process': [
    'FilePath',
    'ArgumentList',
    'WorkingDirectory',
    'PassThru',
    'NoNewWindow',
    'Wait',
    'WindowStyle',
    'Verb',
    'RedirectStandardError',
    'RedirectStandardInput',
    'RedirectStandardOutput',
  ],
  'Start-Sleep': ['Seconds', 'Milliseconds'],
  'Test-Path': ['Path', 'LiteralPath', 'PathType', 'IsValid', 'Filter', 'Include', 'Exclude'],
  'Where-Object': ['InputObject', 'FilterScript'],
  'Write-Error': [
    'Message',
    'Exception',
    'ErrorRecord',
    'Category',
    'ErrorId',
    'TargetObject',
    'RecommendedAction',
  ],
  'Write-Output': ['InputObject', 'NoEnumerate'],
  'Write-Verbose': ['Message'],
  'Write-Warning': ['Message'],

  'Backup-GPO': ['Guid', 'Name', 'All', 'Path', 'Comment', ...PLACE, ...CHANGES],
  'Get-GPInheritance': ['Target', ...PLACE],
  'Get-GPO': ['Guid', 'Name', 'All', ...PLACE],
  'Get-GPRegistryValue': ['Guid', 'Name', 'Key', 'ValueName', 'Order', ...PLACE],
  'Import-GPO': [
    'BackupId',
    'BackupGpoName',
    'Path',
    'TargetGuid',
    'TargetName',
    'MigrationTable',
    'CreateIfNeeded',
    ...PLACE,
    ...CHANGES,
  ],
  'New-GPLink': [
    'Guid',
    'Name',
    'Target',
    'LinkEnabled',
    'Order',
    'Enforced',
    ...PLACE,
    ...CHANGES,
  ],
  'New-GPO': ['Name', 'Comment', 'StarterGpoGuid', 'StarterGpoName', ...PLACE, ...CHANGES],
  'Remove-GPLink': ['Guid', 'Name', 'Target', ...PLACE, ...CHANGES],
  'Remove-GPO': ['Guid', 'Name', 'KeepLinks', ...PLACE, ...CHANGES],
  'Restore-GPO': ['Guid', 'Name', 'All', 'BackupId', 'Path', ...PLACE, ...CHANGES],
};
