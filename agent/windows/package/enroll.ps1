#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Gives an installed Launchbeat agent a key of its own, for an enrolment token.

.DESCRIPTION
    Lets launchbeat.exe enroll ask the collector for a key and put it into the keystore, then starts the service anew. For a PC
    whose key was revoked, or that is to report to another collector. What was installed with a token enrols by itself and does
    not need this. A token that was used in vain (no answer came) can be used again. An agent that the collector knows gets another
    key only for a token of launchbeat-collector tokens add --known-agents.

.PARAMETER Server
    Address of the collector, as https://collector.example.org:8443; the agent reports there from now on. Without it the one that
    the installer was told.

.PARAMETER TokenFile
    File with the token (enroll-...:...). Without it the token is asked for. It is never an argument: Windows logs command lines.

.PARAMETER Force
    Replace the key that the agent has.

.OUTPUTS
    Nothing. launchbeat.exe says whether the agent is enrolled, and as what.

.EXAMPLE
    .\enroll.ps1 -WhatIf
    Shows what would be done.

.EXAMPLE
    .\enroll.ps1 -TokenFile \\server\launchbeat$\token.txt -Force
    Replaces the key without a question.

.NOTES
    Exit codes: 0 enrolled; 1 nothing was changed (no agent, no address, no token, constrained language mode); 2 the collector gave no key;
    3 enrolled, but the address could not be written into install.env, or the service could not be started anew.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $Server = '',

    [string] $TokenFile = '',

    [switch] $Force
)

$ErrorActionPreference = 'Stop'

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate, or run launchbeat.exe enroll.'
    }
    $root = $env:ProgramW6432
    if (-not $root) { $root = $env:ProgramFiles }
    $exe = Join-Path -Path $root -ChildPath 'Launchbeat\launchbeat.exe'
    if (-not (Test-Path -LiteralPath $exe -PathType Leaf)) { throw ('{0} is missing: install the agent first.' -f $exe) }
    $settings = Join-Path -Path $env:ProgramData -ChildPath 'Launchbeat\install.env'
    $isNewServer = [bool]$Server
    if (-not $Server -and (Test-Path -LiteralPath $settings)) {
        $line = @(Get-Content -LiteralPath $settings -Encoding UTF8) -match '^LAUNCHBEAT_COLLECTOR_URL=.'
        if ($line) { $Server = $line[0].Substring('LAUNCHBEAT_COLLECTOR_URL='.Length) }
    }
    if (-not $Server) { throw 'The address of the collector is not known: give it with -Server.' }
    if (-not $PSCmdlet.ShouldProcess($Server, 'Enrol this PC and start its service anew')) { exit 0 }
    if ($TokenFile) {
        $token = (Get-Content -LiteralPath $TokenFile -TotalCount 1 -Encoding UTF8).Trim()
    } else {
        $secret = Read-Host -Prompt 'Enrolment token (enroll-...:...)' -AsSecureString
        $token = (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $secret).Password
    }
    if ($token -notmatch '^enroll-[\w-]+:[\w-]+$') { throw 'That is no enrolment token: launchbeat-collector tokens add prints one.' }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}

try {
    $arguments = @('enroll', '--url', $Server)
    if ($Force) { $arguments += '--force' }
    $token | & $exe @arguments
    if ($LASTEXITCODE -ne 0) { throw ('launchbeat.exe enroll ended with {0}; its words stand above.' -f $LASTEXITCODE) }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 2
}

try {
    # The key is for this collector: the agent must not go on with the address of another one. In place, so that the rights stay.
    if ($isNewServer -and (Test-Path -LiteralPath $settings)) {
        $lines = @([System.IO.File]::ReadAllLines($settings)) -notmatch '^LAUNCHBEAT_COLLECTOR_URL='
        [System.IO.File]::WriteAllLines($settings, [string[]]($lines + ('LAUNCHBEAT_COLLECTOR_URL={0}' -f $Server)))
    }
    Restart-Service -Name 'Launchbeat'
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 3
}
exit 0
