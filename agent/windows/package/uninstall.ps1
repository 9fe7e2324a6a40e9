#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Uninstalls the Launchbeat agent that install.ps1 installed.

.DESCRIPTION
    Stops and deletes the service, takes its account out of Event Log Readers, deletes "Program Files\Launchbeat". The data
    in ProgramData\Launchbeat (config, key, spool with events that were not sent yet, logs) stays unless -Purge is given.
    What is gone already is passed over. For an agent from the MSI use "Apps" in the settings of Windows, or msiexec /x.

.PARAMETER Purge
    Delete the data too.

.OUTPUTS
    Nothing.

.EXAMPLE
    .\uninstall.ps1 -WhatIf
    Shows what would be done.

.NOTES
    Exit codes: 0 uninstalled; 1 the service or the data could not be removed, or the MSI installed it; 2 the program's folder could not be deleted.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch] $Purge
)

$ErrorActionPreference = 'Stop'

try {
    # The MSI writes this value; Windows Installer would go on believing in files that are not its own.
    if ($null -ne (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Launchbeat' -Name 'ServiceAccount' -ErrorAction SilentlyContinue)) {
        throw 'Launchbeat was installed by the MSI here: uninstall it under "Apps" in the settings of Windows, or by msiexec /x.'
    }
    $root = $env:ProgramW6432
    if (-not $root) { $root = $env:ProgramFiles }
    $program = Join-Path -Path $root -ChildPath 'Launchbeat'
    $exe = Join-Path -Path $program -ChildPath 'launchbeat.exe'
    $what = 'Uninstall Launchbeat'
    if ($Purge) { $what = 'Uninstall Launchbeat and delete its data' }
    if (-not $PSCmdlet.ShouldProcess($program, $what)) { exit 0 }
    if (Test-Path -LiteralPath $exe) {
        $setup = @('--setup', 'uninstall')
        if ($Purge) { $setup += '--purge' }
        & $exe @setup
        if ($LASTEXITCODE -ne 0) { throw ('launchbeat.exe --setup ended with {0}.' -f $LASTEXITCODE) }
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}

try {
    # With what an upgrade that was cut off may have left beside it.
    foreach ($folder in $program, ($program + '.new'), ($program + '.old')) {
        if (Test-Path -LiteralPath $folder) { Remove-Item -LiteralPath $folder -Recurse -Force -Confirm:$false }
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 2
}
exit 0
