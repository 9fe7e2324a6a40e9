#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Switches process creation auditing on for this PC alone: for PCs in a workgroup, and for pilots.

.DESCRIPTION
    Sets what AuditPolicy.psd1 lists: the audit subcategory (by GUID, so in every language of Windows), the command line in
    event 4688, the precedence of subcategories over old category policies, and size and mode of the Security log.
    What is already as it should be stays untouched, so running it again changes nothing. Before the first change the former
    state is written to the undo file; a later run keeps that file.

    In a domain a GPO wins at the next refresh: there use Deploy-LaunchbeatGpo.ps1.

.PARAMETER Undo
    Puts everything back to the state in the undo file, then deletes the file.

.PARAMETER UndoFile
    The file with the former state. Only System and Administrators can read and write it.

.OUTPUTS
    One object per setting: Id, Name, Before, After, Result (Unchanged, Changed, Restored, Failed, Skipped, WouldChange).

.EXAMPLE
    .\Set-LaunchbeatAudit.ps1 -WhatIf
    Shows what would change.

.EXAMPLE
    .\Set-LaunchbeatAudit.ps1 -Undo
    Puts the former state back.

.NOTES
    Exit codes: 0 every setting is as asked; 1 nothing was done (no administrator, damaged folder, no undo file);
    3 at least one setting could not be set or restored, or was skipped at the prompt.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch] $Undo,

    [ValidateNotNullOrEmpty()]
    [string] $UndoFile = (Join-Path -Path $env:ProgramData -ChildPath 'LaunchbeatAuditPolicy\local.json')
)

$ErrorActionPreference = 'Stop'

function New-Result {
    param([psobject] $State, [psobject] $After, [string] $Result)
    [pscustomobject]@{
        Id     = $State.Id
        Name   = $State.Name
        Before = $State.Actual
        After  = $After
        Result = $Result
    }
}

# Runs one change and reads the setting back: a policy can make a change that succeeded have no effect.
function Invoke-Change {
    param([hashtable] $Setting, [psobject] $State, [scriptblock] $Change, [string] $Done)
    try {
        & $Change
        $now = Get-SettingState -Setting $Setting
        if ($Done -eq 'Changed' -and -not $now.Ok) {
            Write-Error -Message ('{0}: set, but it still is {1}; does a policy set it?' -f $Setting.Name, $now.Actual) -ErrorAction Continue
            return (New-Result -State $State -After $now.Actual -Result 'Failed')
        }
        New-Result -State $State -After $now.Actual -Result $Done
    } catch {
        Write-Error -Message ('{0}: {1}' -f $Setting.Name, $_.Exception.Message) -ErrorAction Continue
        New-Result -State $State -After $null -Result 'Failed'
    }
}

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate, or use the GPO.'
    }
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LaunchbeatAudit.psm1') -Force
    # .NET would take a relative path from where the process started, not from where the prompt stands.
    $UndoFile = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($UndoFile)
    $table = Get-AuditPolicyTable
    $computer = Get-CimInstance -ClassName Win32_ComputerSystem
    $kept = Read-UndoFile -Path $UndoFile
    if ($Undo -and $null -eq $kept) { throw ('{0}: no such file, so there is nothing to undo' -f $UndoFile) }
    $states = @(foreach ($setting in $table.Settings) { Get-SettingState -Setting $setting })
    $wrong = @($states | Where-Object -FilterScript { -not $_.Ok })
    if (-not $Undo -and $null -eq $kept -and $wrong.Count -gt 0) {
        if ($PSCmdlet.ShouldProcess($UndoFile, 'Keep the former state')) {
            $former = @{}
            foreach ($state in $states) { $former[$state.Id] = $state.Former }
            Write-UndoFile -Path $UndoFile -State ([pscustomobject]@{ Version = 1; Former = $former })
        } elseif (-not $WhatIfPreference) {
            throw 'Without the undo file nothing is changed.'
        }
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}

$results = @(for ($index = 0; $index -lt $states.Count; $index++) {
        $setting = $table.Settings[$index]
        $state = $states[$index]
        if ($Undo) {
            $former = $kept.Former.($setting.Id)
            $change = { Restore-Setting -Setting $setting -Former $former }
            $done = 'Restored'
            $needed = $null -ne $former
            $verb = 'Put the former state back'
        } else {
            $change = { Set-Setting -Setting $setting }
            $done = 'Changed'
            $needed = -not $state.Ok
            $verb = 'Set to {0} (now {1})' -f $state.Wanted, $state.Actual
        }
        if (-not $needed) {
            New-Result -State $state -After $state.Actual -Result 'Unchanged'
        } elseif ($PSCmdlet.ShouldProcess($setting.Name, $verb)) {
            Invoke-Change -Setting $setting -State $state -Change $change -Done $done
        } elseif ($WhatIfPreference) {
            New-Result -State $state -After $state.Wanted -Result 'WouldChange'
        } else {
            New-Result -State $state -After $state.Actual -Result 'Skipped'
        }
    })
$results

if (-not $Undo -and $computer.PartOfDomain) {
    Write-Warning -Message 'This PC is in a domain: the next refresh of Group Policy may undo these settings. Deploy-LaunchbeatGpo.ps1 is for domains.'
}
$open = @($results | Where-Object -FilterScript { 'Failed', 'Skipped' -contains $_.Result })
if ($open.Count -gt 0) { exit 3 }
if ($Undo -and -not $WhatIfPreference) { Remove-Item -LiteralPath $UndoFile -Force -Confirm:$false }
exit 0
