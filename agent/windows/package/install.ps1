#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Installs the Launchbeat agent from the folder of its ZIP, as a service; the same for an upgrade.

.DESCRIPTION
    Copies the program to "Program Files\Launchbeat", which only administrators may write, then lets launchbeat.exe --setup do
    the rest: the service, its account (NT SERVICE\Launchbeat, a member of Event Log Readers), ProgramData\Launchbeat with tight
    rights, and the settings given here. What is not given stays as it was; launchbeat.yml, key and spool survive an upgrade.
    A folder in ProgramData that somebody else made is refused. Nothing is ever run from ProgramData.

.PARAMETER Server
    Address of the collector, as https://collector.example.org:8443.

.PARAMETER KeyFile
    File with the key of this PC, or an enrolment token (both id:secret; a token begins with enroll-). %COMPUTERNAME% in its path
    is replaced. Without it, and if there is neither yet, it is asked for. It is never an argument: Windows logs command lines.

.PARAMETER Ca
    Full path of the CA's certificate (PEM), or its SHA-256 fingerprint.

.PARAMETER Programs
    File names to watch in place of the default four, with semicolons between, or the word all.

.PARAMETER Account
    Account of the service. LocalSystem where the virtual account is not possible.

.PARAMETER NoStart
    Do not start the service.

.OUTPUTS
    One object: Version, Program, Data, Service.

.EXAMPLE
    .\install.ps1 -WhatIf
    Shows what would be done.

.EXAMPLE
    .\install.ps1 -Server https://collector.example.org:8443 -KeyFile \\server\keys$\%COMPUTERNAME%.key -Ca \\server\launchbeat\ca.crt
    Installs without a question.

.NOTES
    Exit codes: 0 installed; 1 nothing was changed (no administrator, damaged ZIP, constrained language mode);
    2 the program's folder cannot be used or written; 3 launchbeat.exe --setup failed, its words stand above.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $Server = '',

    [string] $KeyFile = '',

    [string] $Ca = '',

    [string] $Programs = '',

    [ValidateNotNullOrEmpty()]
    [string] $Account = 'NT SERVICE\Launchbeat',

    [switch] $NoStart
)

$ErrorActionPreference = 'Stop'

# Program Files of the 64-bit Windows, from a 32-bit PowerShell too.
function Get-ProgramFolder {
    $root = $env:ProgramW6432
    if (-not $root) { $root = $env:ProgramFiles }
    Join-Path -Path $root -ChildPath 'Launchbeat'
}

# Only System, Administrators and the installer of Windows may own the folder that a service is run from.
function Test-TrustedOwner {
    param([string] $Path)
    $owner = (Get-Acl -LiteralPath $Path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    $trusted = 'S-1-5-18', 'S-1-5-32-544', 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    $trusted -contains $owner
}

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate, or use the MSI.'
    }
    if (-not [System.Environment]::Is64BitOperatingSystem) { throw 'Launchbeat needs a 64-bit Windows.' }
    $files = 'node.exe', 'launchbeat.exe', 'package.json', 'launchbeat.yml', 'app\launchbeat.mjs', 'windows\bridge.ps1'
    foreach ($file in $files) {
        $path = Join-Path -Path $PSScriptRoot -ChildPath $file
        if (-not (Test-Path -LiteralPath $path -PathType Leaf)) { throw ('{0} is missing: unpack the whole ZIP.' -f $path) }
    }
    $program = Get-ProgramFolder
    $package = Join-Path -Path $PSScriptRoot -ChildPath 'package.json'
    $version = (ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($package))).version
    $data = Join-Path -Path $env:ProgramData -ChildPath 'Launchbeat'
    $settings = Join-Path -Path $data -ChildPath 'install.env'
    $hasKey = (Test-Path -LiteralPath $settings) -and
        ([System.IO.File]::ReadAllText($settings) -match '(?m)^LAUNCHBEAT_(API_KEY|ENROLLMENT_TOKEN)=.')
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}

if (-not $PSCmdlet.ShouldProcess($program, ('Install Launchbeat {0} and its service' -f $version))) { exit 0 }

try {
    if (Test-Path -LiteralPath $program) {
        if (-not (Test-TrustedOwner -Path $program)) {
            throw ('{0} was made by somebody else. Look into it, delete it, then install again.' -f $program)
        }
        # A program that runs cannot be replaced.
        $old = Join-Path -Path $program -ChildPath 'launchbeat.exe'
        if ((Test-Path -LiteralPath $old) -and ($program -ne $PSScriptRoot)) {
            $tool = Join-Path -Path ([System.Environment]::SystemDirectory) -ChildPath 'net.exe'
            $stopping = Start-Process -FilePath $tool -ArgumentList 'stop', 'Launchbeat' -NoNewWindow -Wait -PassThru
            Write-Verbose -Message ('net stop ended with {0}' -f $stopping.ExitCode)
        }
    } else {
        $null = New-Item -Path $program -ItemType Directory -Force
    }
    if ($program -ne $PSScriptRoot) {
        foreach ($item in @(Get-ChildItem -LiteralPath $PSScriptRoot -Force)) {
            $target = Join-Path -Path $program -ChildPath $item.Name
            if (Test-Path -LiteralPath $target) { Remove-Item -LiteralPath $target -Recurse -Force }
            Copy-Item -LiteralPath $item.FullName -Destination $program -Recurse -Force
        }
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 2
}

try {
    $setup = @('--setup', 'install', '--account', $Account)
    if ($Server) { $setup += '--server', $Server }
    if ($KeyFile) { $setup += '--key-file', $KeyFile }
    if ($Ca) { $setup += '--ca', $Ca }
    if ($Programs) { $setup += '--programs', $Programs }
    if (-not $NoStart) { $setup += '--start' }
    $exe = Join-Path -Path $program -ChildPath 'launchbeat.exe'
    if (-not $KeyFile -and -not $hasKey) {
        $secret = Read-Host -Prompt 'Key of this PC, or enrolment token (id:secret)' -AsSecureString
        $key = (New-Object -TypeName System.Net.NetworkCredential -ArgumentList '', $secret).Password
        $setup += '--key-stdin'
        $key | & $exe @setup
    } else {
        & $exe @setup
    }
    if ($LASTEXITCODE -ne 0) { throw ('launchbeat.exe --setup ended with {0}.' -f $LASTEXITCODE) }
    [pscustomobject]@{
        Version = $version
        Program = $program
        Data    = $data
        Service = 'Launchbeat'
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 3
}
exit 0
