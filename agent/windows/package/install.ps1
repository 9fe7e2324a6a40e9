#requires -Version 5.1
#requires -RunAsAdministrator

<#
.SYNOPSIS
    Installs the Launchbeat agent from the folder of its ZIP, as a service; the same for an upgrade.

.DESCRIPTION
    Copies the program to "Program Files\Launchbeat", which only administrators may write, then lets launchbeat.exe --setup do
    the rest: the service, its account (NT SERVICE\Launchbeat, a member of Event Log Readers), ProgramData\Launchbeat with tight
    rights, and the settings given here. What is not given stays as it was; launchbeat.yml, key and spool survive an upgrade.
    The former version runs on until the new one lies beside it whole, and comes back where the new one cannot be set up.
    Only what the ZIP holds is copied, whatever else lies in this folder. A folder in ProgramData that somebody else made is
    refused. Nothing is ever run from ProgramData.

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
    Account of the service: at first NT SERVICE\Launchbeat. LocalSystem where the virtual account is not possible.

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
    Exit codes: 0 installed; 1 nothing was changed (no administrator, damaged ZIP, constrained language mode, installed by the MSI);
    2 the program's folder cannot be used or written, a former version is as it was;
    3 launchbeat.exe --setup failed, its words stand above, a former version was put back.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string] $Server = '',

    [string] $KeyFile = '',

    [string] $Ca = '',

    [string] $Programs = '',

    [string] $Account = '',

    [switch] $NoStart
)

$ErrorActionPreference = 'Stop'

# All that the ZIP holds. Nothing else is taken along: a folder of downloads may hold a DLL that node.exe would load.
$contents = @(
    'LICENSE.txt', 'THIRD-PARTY-LICENSES.txt', 'app', 'audit-policy', 'enroll.ps1', 'install.ps1', 'launchbeat.exe',
    'launchbeat.yml', 'node.exe', 'package.json', 'sbom.cdx.json', 'uninstall.ps1', 'windows'
)

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

# Starts or stops the service; one that is not there, or is so already, is no fault.
function Invoke-Net {
    param([string] $Verb)
    $tool = Join-Path -Path ([System.Environment]::SystemDirectory) -ChildPath 'net.exe'
    $ended = Start-Process -FilePath $tool -ArgumentList $Verb, 'Launchbeat' -NoNewWindow -Wait -PassThru
    Write-Verbose -Message ('net {0} ended with {1}' -f $Verb, $ended.ExitCode)
}

# Renames a folder. A program that has just ended may hold its files for another moment.
function Move-Folder {
    param([string] $Path, [string] $Destination)
    for ($try = 1; $try -lt 20; $try++) {
        try {
            Move-Item -LiteralPath $Path -Destination $Destination
            return
        } catch {
            Write-Verbose -Message ('{0}: {1}' -f $Path, $_.Exception.Message)
            Start-Sleep -Milliseconds 500
        }
    }
    Move-Item -LiteralPath $Path -Destination $Destination
}

# Puts the former program back, where one was moved away, and starts its service.
function Restore-Former {
    param([string] $Program)
    $former = $Program + '.old'
    if (-not (Test-Path -LiteralPath $former)) { return }
    if (Test-Path -LiteralPath $Program) {
        Invoke-Net -Verb 'stop'
        Move-Folder -Path $Program -Destination ($Program + '.new')
    }
    Move-Folder -Path $former -Destination $Program
    Invoke-Net -Verb 'start'
}

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate, or use the MSI.'
    }
    if (-not [System.Environment]::Is64BitOperatingSystem) { throw 'Launchbeat needs a 64-bit Windows.' }
    # The MSI writes this value; Windows Installer would go on believing in files that are not its own.
    if ($null -ne (Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Launchbeat' -Name 'ServiceAccount' -ErrorAction SilentlyContinue)) {
        throw 'Launchbeat was installed by the MSI here: upgrade it with the newer MSI.'
    }
    foreach ($item in $contents + 'app\launchbeat.mjs' + 'windows\bridge.ps1') {
        $path = Join-Path -Path $PSScriptRoot -ChildPath $item
        if (-not (Test-Path -LiteralPath $path)) { throw ('{0} is missing: unpack the whole ZIP.' -f $path) }
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
    # An earlier run that was cut off may have left the former program aside.
    if (-not (Test-Path -LiteralPath $program)) { Restore-Former -Program $program }
    $isFormer = Test-Path -LiteralPath $program
    if ($isFormer -and -not (Test-TrustedOwner -Path $program)) {
        throw ('{0} was made by somebody else. Look into it, delete it, then install again.' -f $program)
    }
    if ($program -ne $PSScriptRoot) {
        foreach ($rest in ($program + '.new'), ($program + '.old')) {
            if (Test-Path -LiteralPath $rest) { Remove-Item -LiteralPath $rest -Recurse -Force }
        }
        $null = New-Item -Path ($program + '.new') -ItemType Directory -Force
        foreach ($item in $contents) {
            $from = Join-Path -Path $PSScriptRoot -ChildPath $item
            Copy-Item -LiteralPath $from -Destination ($program + '.new') -Recurse -Force
        }
        # The mark of what came from the internet would keep bridge.ps1 from running under a policy RemoteSigned.
        foreach ($file in @(Get-ChildItem -LiteralPath ($program + '.new') -Recurse -File -Force)) {
            Unblock-File -LiteralPath $file.FullName
        }
        if ($isFormer) {
            Invoke-Net -Verb 'stop'
            Move-Folder -Path $program -Destination ($program + '.old')
        }
        Move-Folder -Path ($program + '.new') -Destination $program
    }
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    if ($isFormer -and (Test-Path -LiteralPath $program)) { Invoke-Net -Verb 'start' } else { Restore-Former -Program $program }
    exit 2
}

try {
    $setup = @('--setup', 'install')
    if ($Account) { $setup += '--account', $Account }
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
    Restore-Former -Program $program
    exit 3
}
# What cannot be deleted now is deleted by the next upgrade.
if (Test-Path -LiteralPath ($program + '.old')) {
    Remove-Item -LiteralPath ($program + '.old') -Recurse -Force -ErrorAction SilentlyContinue
}
exit 0
