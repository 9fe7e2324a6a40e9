#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Proves on this PC that process starts reach the Security log with their command line.

.DESCRIPTION
    Reads every setting of AuditPolicy.psd1 as it is in effect here, whoever set it (GPO, Intune, Set-LaunchbeatAudit.ps1). Then
    the proof: it starts a known program (cmd.exe with a marker in its command line) and waits for the event 4688 of that very
    process. The event counts more than the settings: where it comes with its command line, the agent works.

    Changes nothing; the started program is seen in the log, and by a running agent.

.PARAMETER TimeoutSeconds
    How long to wait for the event of the started program.

.OUTPUTS
    One object per check: Check, Ok, Expected, Actual, Advice.

.EXAMPLE
    .\Test-LaunchbeatAudit.ps1 | Format-Table -AutoSize

.EXAMPLE
    powershell.exe -NoProfile -ExecutionPolicy Bypass -File .\Test-LaunchbeatAudit.ps1; $LASTEXITCODE

.NOTES
    Exit codes: 0 everything is as it should be; 1 the test itself could not run;
    3 process starts are not logged; 4 they are logged without their command line;
    5 they are logged with it, but a setting differs (e.g. the log is small, or a policy can switch auditing off again);
    6 the Security log cannot be read.
#>
[CmdletBinding()]
param(
    [ValidateRange(1, 300)]
    [int] $TimeoutSeconds = 15
)

$ErrorActionPreference = 'Stop'

function New-Check {
    param([string] $Check, [bool] $Ok, [psobject] $Expected, [psobject] $Actual, [string] $Advice)
    if ($Ok) { $Advice = '' }
    [pscustomobject]@{ Check = $Check; Ok = $Ok; Expected = $Expected; Actual = $Actual; Advice = $Advice }
}

function Open-SecurityLog {
    param([string] $XPath, [switch] $NewestFirst)
    $byName = [System.Diagnostics.Eventing.Reader.PathType]::LogName
    $query = New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogQuery -ArgumentList 'Security', $byName, $XPath
    $query.ReverseDirection = [bool]$NewestFirst
    New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogReader -ArgumentList $query
}

# Id of the newest event, 0 in an empty log.
function Get-NewestRecordId {
    $reader = Open-SecurityLog -XPath '*' -NewestFirst
    try {
        $record = $reader.ReadEvent()
        if ($null -eq $record) { return [long]0 }
        try { [long]$record.RecordId } finally { $record.Dispose() }
    } finally {
        $reader.Dispose()
    }
}

# XML of the event 4688 of that process, or nothing. Get-WinEvent would render the message of every event on the way.
function Find-ProcessStart {
    param([long] $AfterRecordId, [int] $ProcessId)
    $reader = Open-SecurityLog -XPath "*[System[(EventID=4688) and (EventRecordID>$AfterRecordId)]]"
    try {
        while ($null -ne ($record = $reader.ReadEvent())) {
            try { $xml = $record.ToXml() } finally { $record.Dispose() }
            $isIt = $xml -match "<Data Name=['""]NewProcessId['""]>0x([0-9a-f]+)</Data>" -and [System.Convert]::ToInt64($Matches[1], 16) -eq $ProcessId
            if ($isIt -and $xml -match '\\cmd\.exe</Data>') { return $xml }
        }
    } finally {
        $reader.Dispose()
    }
}

# Starts the known program and says what the log made of it: Logged, WithoutCommandLine, NotLogged or LogStands.
function Invoke-Canary {
    param([int] $TimeoutSeconds)
    $before = Get-NewestRecordId
    $marker = 'launchbeat-canary-{0}' -f [guid]::NewGuid().ToString('N')
    $start = @{
        FilePath     = Join-Path -Path ([System.Environment]::SystemDirectory) -ChildPath 'cmd.exe'
        ArgumentList = '/d', '/c', 'rem', $marker
        WindowStyle  = 'Hidden'
        PassThru     = $true
        Wait         = $true
    }
    $process = Start-Process @start
    $watch = [System.Diagnostics.Stopwatch]::StartNew()
    do {
        $xml = Find-ProcessStart -AfterRecordId $before -ProcessId $process.Id
        if ($null -ne $xml) {
            if ($xml.Contains($marker)) { return 'Logged' }
            return 'WithoutCommandLine'
        }
        Start-Sleep -Milliseconds 500
    } while ($watch.Elapsed.TotalSeconds -lt $TimeoutSeconds)
    if ((Get-NewestRecordId) -gt $before) { return 'NotLogged' }
    'LogStands'
}

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate.'
    }
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LaunchbeatAudit.psm1') -Force
    $table = Get-AuditPolicyTable
    $settings = @(foreach ($setting in $table.Settings) {
            $state = Get-SettingState -Setting $setting
            $advice = 'Set it by the GPO (Deploy-LaunchbeatGpo.ps1), by Intune, or here by Set-LaunchbeatAudit.ps1; gpresult /h names the policy that sets it now.'
            New-Check -Check $setting.Id -Ok $state.Ok -Expected $state.Wanted -Actual $state.Actual -Advice $advice
        })
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}
$settings

try {
    $canary = Invoke-Canary -TimeoutSeconds $TimeoutSeconds
} catch {
    $message = $_.Exception.GetBaseException().Message
    New-Check -Check 'Canary' -Ok $false -Expected 'Logged' -Actual 'LogUnreadable' -Advice $message
    exit 6
}
$advices = @{
    Logged             = ''
    WithoutCommandLine = 'IncludeCommandLine is not in effect.'
    NotLogged          = 'The log advances, but without process starts: ProcessCreation is not in effect.'
    LogStands          = 'Nothing at all was written: ProcessCreation is not in effect, or the log is full (Retain), or its service is stopped.'
}
New-Check -Check 'Canary' -Ok ($canary -eq 'Logged') -Expected 'Logged' -Actual $canary -Advice $advices[$canary]

if ($canary -eq 'WithoutCommandLine') { exit 4 }
if ($canary -ne 'Logged') { exit 3 }
$wrong = @($settings | Where-Object -FilterScript { -not $_.Ok })
if ($wrong.Count -gt 0) { exit 5 }
exit 0
