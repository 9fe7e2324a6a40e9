#requires -Version 5.1
#requires -PSEdition Desktop
#requires -RunAsAdministrator
#requires -Modules GroupPolicy

<#
.SYNOPSIS
    Creates the GPO that switches process creation auditing on, from the backup beside this script, and links it.

.DESCRIPTION
    Checks the files of gpo-backup against their digests, creates the GPO, imports the backup, reads the result back from Active
    Directory and SYSVOL, and only then links it to the given OUs. Run it again at any time: what is already there stays.

    An import erases what the GPO held before. A GPO of that name which this script did not make is therefore left alone unless
    -Replace is given; it is then backed up first.

    Mind before the first link (the script warns where it sees it): once any GPO brings advanced audit policy to a PC, Windows
    clears the audit settings made locally on that PC, its own defaults such as Logon included, and the old category policies
    are ignored. Link your audit baseline beside this GPO.

    Needs Windows PowerShell 5.1 with the Group Policy module (RSAT) and the right to create and link GPOs.

.PARAMETER Name
    Name of the GPO.

.PARAMETER Target
    Distinguished names of the OUs (or of the domain) to link the GPO to. Without it the GPO is made and left unlinked.

.PARAMETER Domain
    DNS name of the domain; by default that of the signed-in user.

.PARAMETER Server
    Domain controller to work on; by default the PDC emulator, so that AD and SYSVOL are read where they were written.

.PARAMETER Replace
    Import into a GPO of that name although somebody else made it.

.PARAMETER Undo
    Removes the links that this script made, then deletes the GPO it created, or restores the one it replaced.

.PARAMETER UndoFile
    The file that says what this script did. Only System and Administrators can read and write it.

.OUTPUTS
    One object: Name, Id, Action (Created, Imported, Unchanged, Removed, Restored, or "Would be ..." with -WhatIf and where the
    prompt was answered with no), Linked, Problems, UndoFile.

.EXAMPLE
    .\Deploy-LaunchbeatGpo.ps1 -Target 'OU=Pilot,OU=Clients,DC=example,DC=com' -WhatIf
    Shows what would be done. Without -WhatIf it asks before each step; -Confirm:$false asks nothing.

.EXAMPLE
    .\Deploy-LaunchbeatGpo.ps1 -Undo

.NOTES
    Exit codes: 0 done; 1 nothing was changed, or a step failed (the error says which; run again or -Undo);
    3 imported, but what was read back is not what the backup holds: the GPO was not linked.
#>
[CmdletBinding(SupportsShouldProcess = $true, ConfirmImpact = 'High')]
param(
    [ValidateNotNullOrEmpty()]
    [string] $Name = 'Launchbeat audit policy',

    [string[]] $Target = @(),

    [string] $Domain,

    [string] $Server,

    [switch] $Replace,

    [switch] $Undo,

    [ValidateNotNullOrEmpty()]
    [string] $UndoFile = (Join-Path -Path $env:ProgramData -ChildPath 'LaunchbeatAuditPolicy\gpo.json')
)

$ErrorActionPreference = 'Stop'

# Stands in the description of a GPO that this script made.
$marker = '[launchbeat-audit-policy]'
$clientSideExtensions = @{
    Registry = '{35378EAC-683F-11D2-A89A-00C04FBBCFA2}'
    Security = '{827D319E-6EAC-11D2-A4EA-00C04F79F83A}'
    Audit    = '{F3CCC681-B74C-4060-9F26-CD84525DCA2A}'
}

function Get-TargetDomain {
    param([string] $Domain)
    if ($Domain) {
        $context = New-Object -TypeName System.DirectoryServices.ActiveDirectory.DirectoryContext -ArgumentList 'Domain', $Domain
        return [System.DirectoryServices.ActiveDirectory.Domain]::GetDomain($context)
    }
    [System.DirectoryServices.ActiveDirectory.Domain]::GetCurrentDomain()
}

# Throws if a file of the backup is missing, changed or too many.
function Assert-Backup {
    param([string] $Folder, [hashtable] $Table)
    foreach ($path in $Table.Files.Keys) {
        $file = Join-Path -Path $Folder -ChildPath $path
        $hash = (Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash
        if ($hash -ne $Table.Files[$path]) { throw ('{0} is not the file that was shipped; unpack the folder again' -f $file) }
    }
    $found = @(Get-ChildItem -LiteralPath $Folder -Recurse -File -Force)
    if ($found.Count -ne $Table.Files.Count) {
        throw ('{0} holds {1} files, {2} were shipped; unpack the folder again' -f $Folder, $found.Count, $Table.Files.Count)
    }
}

# Names the GPOs of the domain with audit policy of their own: one object for each.
function Get-AuditPolicyNeighbour {
    param([string] $PoliciesPath, [guid] $Except)
    foreach ($folder in Get-ChildItem -LiteralPath $PoliciesPath -Directory) {
        if ($folder.Name -eq $Except.ToString('B')) { continue }
        $settings = Join-Path -Path $folder.FullName -ChildPath 'Machine\Microsoft\Windows NT'
        $csv = Join-Path -Path $settings -ChildPath 'Audit\audit.csv'
        $template = Join-Path -Path $settings -ChildPath 'SecEdit\GptTmpl.inf'
        try {
            $legacy = (Test-Path -LiteralPath $template) -and [System.IO.File]::ReadAllText($template) -match '(?m)^\[Event Audit\]'
            $advanced = Test-Path -LiteralPath $csv
        } catch {
            Write-Verbose -Message ('{0}: not looked at: {1}' -f $folder.Name, $_.Exception.Message)
            continue
        }
        if ($legacy -or $advanced) {
            [pscustomobject]@{ Id = $folder.Name; Advanced = $advanced; Legacy = $legacy }
        }
    }
}

function Write-NeighbourWarning {
    param([object[]] $Neighbour)
    $advanced = @($Neighbour | Where-Object -FilterScript { $_.Advanced })
    $legacy = @($Neighbour | Where-Object -FilterScript { $_.Legacy })
    if ($advanced.Count -eq 0) {
        Write-Warning -Message 'No other GPO of this domain has advanced audit policy. On every PC that this GPO reaches, Windows clears the audit settings made locally, its defaults (Logon and others) included. Link an audit baseline beside it.'
    }
    if ($legacy.Count -gt 0) {
        Write-Warning -Message ('These GPOs have old category audit policy, which is ignored where this GPO applies: {0}' -f ($legacy.Id -join ', '))
    }
}

# What of the backup did not arrive in AD and SYSVOL: one sentence each, nothing if all did.
function Test-ImportedGpo {
    param([psobject] $Gpo, [hashtable] $Table, [hashtable] $Place, [string] $PoliciesPath)
    $entry = New-Object -TypeName System.DirectoryServices.DirectoryEntry -ArgumentList ('LDAP://{0}/{1}' -f $Place.Server, $Gpo.Path)
    $extensions = [string]$entry.Properties['gPCMachineExtensionNames'].Value
    foreach ($extension in $clientSideExtensions.Keys) {
        if ($extensions.IndexOf($clientSideExtensions[$extension], [System.StringComparison]::OrdinalIgnoreCase) -lt 0) {
            'gPCMachineExtensionNames lacks the {0} extension: PCs would not process that part' -f $extension
        }
    }
    $machine = Join-Path -Path $PoliciesPath -ChildPath ('{0}\Machine\Microsoft\Windows NT' -f $Gpo.Id.ToString('B'))
    foreach ($setting in $Table.Settings) {
        $arrived = $false
        if ($setting.File -eq 'registry.pol') {
            $key = 'HKLM\' + $setting.Key
            try {
                $value = (Get-GPRegistryValue -Guid $Gpo.Id -Key $key -ValueName $setting.ValueName @Place).Value
                # A string comes with the zero that ends it in registry.pol.
                $arrived = ([string]$value).TrimEnd([char]0) -eq [string]$setting.Value
            } catch {
                Write-Verbose -Message ('{0}: {1}' -f $setting.ValueName, $_.Exception.Message)
            }
        } elseif ($setting.File -eq 'audit.csv') {
            $file = Join-Path -Path $machine -ChildPath 'Audit\audit.csv'
            $pattern = '(?im)^,System,[^,]*,{0},[^,]*,,{1}\s*$' -f [regex]::Escape($setting.Guid), $setting.Value
            $arrived = (Test-Path -LiteralPath $file) -and [System.IO.File]::ReadAllText($file) -match $pattern
        } else {
            $file = Join-Path -Path $machine -ChildPath 'SecEdit\GptTmpl.inf'
            $path = 'MACHINE\{0}\{1}' -f $setting.Key, $setting.ValueName
            $pattern = '(?im)^{0}\s*=\s*4\s*,\s*{1}\s*$' -f [regex]::Escape($path), $setting.Value
            $arrived = (Test-Path -LiteralPath $file) -and [System.IO.File]::ReadAllText($file) -match $pattern
        }
        if (-not $arrived) { '{0} did not arrive: {1}' -f $setting.File, $setting.Name }
    }
    if ($Gpo.Computer.DSVersion -ne $Gpo.Computer.SysvolVersion) {
        'AD has version {0}, SYSVOL has {1}' -f $Gpo.Computer.DSVersion, $Gpo.Computer.SysvolVersion
    }
}

function New-Report {
    param([psobject] $Gpo, [string] $Action, [string[]] $Linked = @(), [string[]] $Problem = @())
    $id = $null
    if ($null -ne $Gpo) { $id = $Gpo.Id }
    [pscustomobject]@{
        Name     = $Name
        Id       = $id
        Action   = $Action
        Linked   = $Linked
        Problems = $Problem
        UndoFile = $UndoFile
    }
}

# Takes back what the undo file lists: first the links, then the GPO. The file goes when nothing is left to undo.
function Undo-Deployment {
    param([psobject] $Done, [hashtable] $Place)
    $gpo = Get-GPO -All @Place | Where-Object -FilterScript { $_.Id.ToString() -eq $Done.GpoId } | Select-Object -First 1
    if ($null -eq $gpo) {
        # Its links went with it. The file would keep every later deployment away.
        Write-Warning -Message ('The GPO {0} was deleted already.' -f $Done.GpoId)
        if (-not $PSCmdlet.ShouldProcess($UndoFile, 'Delete the undo file')) { return (New-Report -Action 'Would be removed') }
        Remove-Item -LiteralPath $UndoFile -Force -Confirm:$false
        return (New-Report -Action 'Removed')
    }
    $kept = 0
    foreach ($link in $Done.Links) {
        $links = @((Get-GPInheritance -Target $link @Place).GpoLinks | Where-Object -FilterScript { $_.GpoId -eq $gpo.Id })
        if ($links.Count -eq 0) { continue }
        if ($PSCmdlet.ShouldProcess($link, 'Remove the link of the GPO')) {
            $null = Remove-GPLink -Guid $Done.GpoId -Target $link @Place -Confirm:$false
        } else {
            $kept++
        }
    }
    if ($Done.Created) {
        $action = 'Removed'
        $verb = 'Delete the GPO'
    } else {
        $action = 'Restored'
        $verb = 'Restore the GPO as it was'
    }
    if ($kept -gt 0 -or -not $PSCmdlet.ShouldProcess($gpo.DisplayName, $verb)) {
        return (New-Report -Gpo $gpo -Action ('Would be ' + $action.ToLowerInvariant()) -Linked $Done.Links)
    }
    if ($Done.Created) {
        $null = Remove-GPO -Guid $Done.GpoId @Place -Confirm:$false
    } else {
        $null = Restore-GPO -BackupId $Done.FormerBackupId -Path $Done.FormerBackupPath @Place -Confirm:$false
    }
    Remove-Item -LiteralPath $UndoFile -Force -Confirm:$false
    New-Report -Gpo $gpo -Action $action
}

# Creates the GPO or keeps the found one safe, and writes down which, before anything is imported.
function Initialize-Gpo {
    param([psobject] $Found, [hashtable] $Table, [hashtable] $Place)
    $description = '{0} {1}' -f $Table.Gpo.Comment, $marker
    $done = [pscustomobject]@{
        Version          = 1
        GpoId            = $null
        Created          = $null -eq $Found
        FormerBackupId   = $null
        FormerBackupPath = $null
        Links            = @()
    }
    if ($null -ne $Found) {
        $undoFolder = Split-Path -Path $UndoFile -Parent
        New-ProtectedFolder -Path $undoFolder
        $folder = Join-Path -Path $undoFolder -ChildPath ('former-{0}' -f $Found.Id)
        New-ProtectedFolder -Path $folder
        $backup = Backup-GPO -Guid $Found.Id -Path $folder -Comment 'Before the import of the Launchbeat audit policy' @Place -Confirm:$false
        $done.GpoId = $Found.Id.ToString()
        $done.FormerBackupId = $backup.Id.ToString()
        $done.FormerBackupPath = $folder
    } else {
        $made = New-GPO -Name $Name -Comment $description @Place -Confirm:$false
        $done.GpoId = $made.Id.ToString()
    }
    Write-UndoFile -Path $UndoFile -State $done
    $done
}

function Import-Backup {
    param([psobject] $Done, [hashtable] $Table, [hashtable] $Place, [string] $BackupFolder)
    $null = Import-GPO -BackupId $Table.Gpo.BackupId -Path $BackupFolder -TargetGuid $Done.GpoId @Place -Confirm:$false
    $gpo = Get-GPO -Guid $Done.GpoId @Place
    # The user half is empty: switched off, PCs do not read it.
    $gpo.GpoStatus = 'UserSettingsDisabled'
    $gpo.Description = '{0} {1}' -f $Table.Gpo.Comment, $marker
}

try {
    if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
        throw 'PowerShell runs in constrained language mode here: sign the scripts with a trusted certificate, or import gpo-backup by hand.'
    }
    Import-Module -Name (Join-Path -Path $PSScriptRoot -ChildPath 'LaunchbeatAudit.psm1') -Force
    # .NET would take a relative path from where the process started, not from where the prompt stands.
    $UndoFile = $ExecutionContext.SessionState.Path.GetUnresolvedProviderPathFromPSPath($UndoFile)
    $table = Get-AuditPolicyTable
    $backupFolder = Join-Path -Path $PSScriptRoot -ChildPath 'gpo-backup'
    Assert-Backup -Folder $backupFolder -Table $table
    $inDomain = Get-TargetDomain -Domain $Domain
    if (-not $Server) { $Server = $inDomain.PdcRoleOwner.Name }
    $place = @{ Domain = $inDomain.Name; Server = $Server }
    $policiesPath = '\\{0}\SYSVOL\{1}\Policies' -f $Server, $inDomain.Name
    $done = Read-UndoFile -Path $UndoFile

    if ($Undo) {
        if ($null -eq $done) { throw ('{0}: no such file, so there is nothing to undo' -f $UndoFile) }
        Undo-Deployment -Done $done -Place $place
        exit 0
    }

    $found = Get-GPO -All @place | Where-Object -FilterScript { $_.DisplayName -eq $Name } | Select-Object -First 1
    $ours = $null -ne $found -and ([string]$found.Description).Contains($marker)
    if ($null -ne $found -and -not $ours -and -not $Replace) {
        throw ('{0} exists and was not made by this script; an import erases it. Give -Name another one, or -Replace.' -f $Name)
    }
    if ($null -ne $done -and ($null -eq $found -or $done.GpoId -ne $found.Id.ToString())) {
        throw ('{0} tells of another GPO ({1}); -Undo it first, or give -UndoFile another name' -f $UndoFile, $done.GpoId)
    }
    $except = [guid]::Empty
    if ($null -ne $found) { $except = $found.Id }
    Write-NeighbourWarning -Neighbour @(Get-AuditPolicyNeighbour -PoliciesPath $policiesPath -Except $except)

    $action = 'Unchanged'
    $problems = @('not imported yet')
    if ($null -ne $found) { $problems = @(Test-ImportedGpo -Gpo $found -Table $table -Place $place -PoliciesPath $policiesPath) }
    if ($problems.Count -gt 0) {
        if (-not $PSCmdlet.ShouldProcess($Name, 'Import the audit policy into the GPO')) {
            New-Report -Gpo $found -Action 'Would be imported' -Linked $Target
            exit 0
        }
        $action = 'Imported'
        if ($null -eq $found) { $action = 'Created' }
        if ($null -eq $done) { $done = Initialize-Gpo -Found $found -Table $table -Place $place }
        Import-Backup -Done $done -Table $table -Place $place -BackupFolder $backupFolder
        $found = Get-GPO -Guid $done.GpoId @place
        $problems = @(Test-ImportedGpo -Gpo $found -Table $table -Place $place -PoliciesPath $policiesPath)
    }
    if ($problems.Count -gt 0) {
        New-Report -Gpo $found -Action $action -Problem $problems
        Write-Error -Message ('{0} was imported, but not as it should be, and is not linked: {1}' -f $Name, ($problems -join '; ')) -ErrorAction Continue
        exit 3
    }

    $linked = @(foreach ($container in $Target) {
            $links = @((Get-GPInheritance -Target $container @place).GpoLinks)
            if (@($links | Where-Object -FilterScript { $_.GpoId -eq $found.Id }).Count -gt 0) {
                $container
            } elseif ($PSCmdlet.ShouldProcess($container, 'Link the GPO')) {
                $null = New-GPLink -Guid $found.Id -Target $container -LinkEnabled Yes @place -Confirm:$false
                if ($null -ne $done) {
                    $done.Links = @($done.Links) + $container
                    Write-UndoFile -Path $UndoFile -State $done
                }
                $container
            }
        })
    New-Report -Gpo $found -Action $action -Linked $linked
    exit 0
} catch {
    Write-Error -ErrorRecord $_ -ErrorAction Continue
    exit 1
}
