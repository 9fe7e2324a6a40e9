#requires -Version 5.1
# What Set-LaunchbeatAudit.ps1, Test-LaunchbeatAudit.ps1 and Deploy-LaunchbeatGpo.ps1 share: the settings table, reading and
# setting one setting of this PC, and the file that keeps the former state. Nothing here depends on the language of Windows:
# subcategories go by GUID, accounts by SID, and no text of another program is understood.
# Works in Windows PowerShell 5.1 and in PowerShell 7 on Windows.

# A module does not see its caller's preferences: without this a failing call would be reported and then passed over.
$ErrorActionPreference = 'Stop'

function Get-AuditPolicyTable {
    <#
    .SYNOPSIS
        Reads AuditPolicy.psd1, the table that the GPO backup was made from.
    #>
    [CmdletBinding()]
    [OutputType([hashtable])]
    param()
    Import-PowerShellDataFile -LiteralPath (Join-Path -Path $PSScriptRoot -ChildPath 'AuditPolicy.psd1')
}

function Invoke-Auditpol {
    <#
    .SYNOPSIS
        Runs auditpol.exe of this Windows; throws with its words when it fails.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string[]] $ArgumentList)
    $program = Join-Path -Path ([System.Environment]::SystemDirectory) -ChildPath 'auditpol.exe'
    $output = & $program @ArgumentList
    if ($LASTEXITCODE -ne 0) {
        throw ('auditpol {0} ended with {1}: {2}' -f ($ArgumentList -join ' '), $LASTEXITCODE, ($output -join ' '))
    }
}

function ConvertFrom-AuditpolBackup {
    <#
    .SYNOPSIS
        Finds the number of a subcategory in what `auditpol /backup` wrote: 0 none, 1 success, 2 failure, 3 both.
    .DESCRIPTION
        A row is: machine, target, subcategory, GUID, inclusion, exclusion, number. Its texts are localised and its encoding is
        not documented, but target, GUID and number are ASCII: read as Latin-1 and without the zero bytes of UTF-16 they
        look the same in every encoding. Rows of single users carry an account in place of "System".
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param(
        [Parameter(Mandatory = $true)] [byte[]] $Bytes,
        [Parameter(Mandatory = $true)] [guid] $Guid
    )
    $latin1 = [System.Text.Encoding]::GetEncoding(28591)
    $text = $latin1.GetString($Bytes).Replace([string][char]0, '')
    $pattern = '^[^,]*,\s*"?([^,"]*)"?\s*,.*' + [regex]::Escape($Guid.ToString('B')) + '.*,\s*"?(\d+)"?\s*$'
    $rows = @(foreach ($line in ($text -split '\r\n|\n|\r')) {
            if ($line -match $pattern) {
                [pscustomobject]@{ Target = $Matches[1]; Value = [int]$Matches[2] }
            }
        })
    $system = @($rows | Where-Object -FilterScript { $_.Target -eq 'System' })
    if ($system.Count -eq 1) { return $system[0].Value }
    if ($rows.Count -eq 1) { return $rows[0].Value }
    throw ('auditpol /backup lists {0} in {1} rows; expected one for the whole system' -f $Guid, $rows.Count)
}

function Get-SubcategoryValue {
    <#
    .SYNOPSIS
        The effective setting of an audit subcategory: 0 none, 1 success, 2 failure, 3 both.
    #>
    [CmdletBinding()]
    [OutputType([int])]
    param([Parameter(Mandatory = $true)] [guid] $Guid)
    $name = 'launchbeat-{0}.csv' -f [guid]::NewGuid().ToString('N')
    $file = Join-Path -Path $env:SystemRoot -ChildPath ('Temp\' + $name)
    try {
        Invoke-Auditpol -ArgumentList '/backup', "/file:$file"
        $bytes = [System.IO.File]::ReadAllBytes($file)
    } finally {
        [System.IO.File]::Delete($file)
    }
    ConvertFrom-AuditpolBackup -Bytes $bytes -Guid $Guid
}

function Set-SubcategoryValue {
    <#
    .SYNOPSIS
        Sets an audit subcategory by its GUID: 0 none, 1 success, 2 failure, 3 both.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [guid] $Guid,
        [Parameter(Mandatory = $true)] [ValidateRange(0, 3)] [int] $Value
    )
    $words = 'disable', 'enable'
    $success = $words[[int](($Value -band 1) -ne 0)]
    $failure = $words[[int](($Value -band 2) -ne 0)]
    $subcategory = '/subcategory:' + $Guid.ToString('B')
    Invoke-Auditpol -ArgumentList '/set', $subcategory, "/success:$success", "/failure:$failure"
}

function Open-MachineHive {
    <#
    .SYNOPSIS
        HKEY_LOCAL_MACHINE of the 64-bit view, so that a 32-bit PowerShell does not end up under WOW6432Node.
    #>
    [CmdletBinding()]
    param()
    $hive = [Microsoft.Win32.RegistryHive]::LocalMachine
    [Microsoft.Win32.RegistryKey]::OpenBaseKey($hive, [Microsoft.Win32.RegistryView]::Registry64)
}

function Get-MachineRegistryValue {
    <#
    .SYNOPSIS
        A value below HKEY_LOCAL_MACHINE with its kind, or Exists = false.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [string] $Key,
        [Parameter(Mandatory = $true)] [string] $ValueName
    )
    $state = [pscustomobject]@{ Exists = $false; Kind = $null; Data = $null }
    $hive = Open-MachineHive
    try {
        $opened = $hive.OpenSubKey($Key)
        if ($null -ne $opened) {
            try {
                $asStored = [Microsoft.Win32.RegistryValueOptions]::DoNotExpandEnvironmentNames
                $data = $opened.GetValue($ValueName, $null, $asStored)
                if ($null -ne $data) {
                    $state.Exists = $true
                    $state.Kind = [string]$opened.GetValueKind($ValueName)
                    $state.Data = $data
                }
            } finally {
                $opened.Close()
            }
        }
    } finally {
        $hive.Close()
    }
    $state
}

function Set-MachineRegistryValue {
    <#
    .SYNOPSIS
        Writes a value below HKEY_LOCAL_MACHINE, or deletes it where State.Exists is false.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [string] $Key,
        [Parameter(Mandatory = $true)] [string] $ValueName,
        [Parameter(Mandatory = $true)] [psobject] $State
    )
    $hive = Open-MachineHive
    try {
        $opened = $hive.CreateSubKey($Key)
        try {
            if (-not $State.Exists) {
                $opened.DeleteValue($ValueName, $false)
            } elseif ($State.Kind -eq 'DWord') {
                $opened.SetValue($ValueName, [int]$State.Data, [Microsoft.Win32.RegistryValueKind]::DWord)
            } elseif ($State.Kind -eq 'String') {
                $opened.SetValue($ValueName, [string]$State.Data, [Microsoft.Win32.RegistryValueKind]::String)
            } else {
                throw ('{0}\{1}: a value of kind {2} is not written by this script; set it by hand' -f $Key, $ValueName, $State.Kind)
            }
        } finally {
            $opened.Close()
        }
    } finally {
        $hive.Close()
    }
}

function Get-SecurityLogState {
    <#
    .SYNOPSIS
        Size and mode of the Security log as the event log service applies them (policy included).
    #>
    [CmdletBinding()]
    param()
    $log = New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogConfiguration -ArgumentList 'Security'
    try {
        [pscustomobject]@{
            MaximumBytes = [long]$log.MaximumSizeInBytes
            Mode         = [string]$log.LogMode
            Enabled      = [bool]$log.IsEnabled
        }
    } finally {
        $log.Dispose()
    }
}

function Set-SecurityLogState {
    <#
    .SYNOPSIS
        Sets size and mode (Circular, AutoBackup, Retain) of the Security log.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [long] $MaximumBytes,
        [Parameter(Mandatory = $true)] [ValidateSet('Circular', 'AutoBackup', 'Retain')] [string] $Mode
    )
    $log = New-Object -TypeName System.Diagnostics.Eventing.Reader.EventLogConfiguration -ArgumentList 'Security'
    try {
        $log.MaximumSizeInBytes = $MaximumBytes
        $log.LogMode = [System.Diagnostics.Eventing.Reader.EventLogMode]$Mode
        $log.SaveChanges()
    } finally {
        $log.Dispose()
    }
}

function Get-SettingState {
    <#
    .SYNOPSIS
        Compares one row of the table with this PC.
    .DESCRIPTION
        A setting that does more than the table asks for is well: failure auditing beside success, a log larger than the table's,
        a log that archives itself (AutoBackup). Former holds what Restore-Setting needs.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Setting)
    switch ($Setting.Kind) {
        'AuditSubcategory' {
            $actual = Get-SubcategoryValue -Guid $Setting.Guid
            $wanted = $Setting.Value
            $ok = ($actual -band $wanted) -eq $wanted
            $former = [pscustomobject]@{ Value = $actual }
        }
        'Registry' {
            $former = Get-MachineRegistryValue -Key $Setting.Key -ValueName $Setting.ValueName
            $wanted = $Setting.Value
            $actual = $former.Data
            $ok = $former.Kind -eq 'DWord' -and $actual -eq $wanted
        }
        'LogSize' {
            $former = Get-SecurityLogState
            $wanted = [long]$Setting.Value * 1024
            $actual = $former.MaximumBytes
            $ok = $actual -ge $wanted
        }
        'LogMode' {
            $former = Get-SecurityLogState
            $wanted = 'Circular'
            $actual = $former.Mode
            $ok = $former.Enabled -and $actual -ne 'Retain'
        }
        default {
            throw ('AuditPolicy.psd1: {0} has the unknown kind {1}' -f $Setting.Id, $Setting.Kind)
        }
    }
    [pscustomobject]@{
        Id     = $Setting.Id
        Name   = $Setting.Name
        Wanted = $wanted
        Actual = $actual
        Ok     = $ok
        Former = $former
    }
}

function Set-Setting {
    <#
    .SYNOPSIS
        Sets one row of the table on this PC, and takes nothing away that is there beyond it.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [hashtable] $Setting)
    switch ($Setting.Kind) {
        'AuditSubcategory' {
            $value = (Get-SubcategoryValue -Guid $Setting.Guid) -bor $Setting.Value
            Set-SubcategoryValue -Guid $Setting.Guid -Value $value
        }
        'Registry' {
            $state = [pscustomobject]@{ Exists = $true; Kind = 'DWord'; Data = $Setting.Value }
            Set-MachineRegistryValue -Key $Setting.Key -ValueName $Setting.ValueName -State $state
        }
        'LogSize' {
            $log = Get-SecurityLogState
            Set-SecurityLogState -MaximumBytes ([long]$Setting.Value * 1024) -Mode $log.Mode
        }
        'LogMode' {
            $log = Get-SecurityLogState
            Set-SecurityLogState -MaximumBytes $log.MaximumBytes -Mode 'Circular'
        }
    }
}

function Restore-Setting {
    <#
    .SYNOPSIS
        Puts one row of the table back to what Former says.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [hashtable] $Setting,
        [Parameter(Mandatory = $true)] [psobject] $Former
    )
    switch ($Setting.Kind) {
        'AuditSubcategory' {
            Set-SubcategoryValue -Guid $Setting.Guid -Value $Former.Value
        }
        'Registry' {
            Set-MachineRegistryValue -Key $Setting.Key -ValueName $Setting.ValueName -State $Former
        }
        'LogSize' {
            $log = Get-SecurityLogState
            Set-SecurityLogState -MaximumBytes $Former.MaximumBytes -Mode $log.Mode
        }
        'LogMode' {
            $log = Get-SecurityLogState
            Set-SecurityLogState -MaximumBytes $log.MaximumBytes -Mode $Former.Mode
        }
    }
}

function Protect-UndoPath {
    <#
    .SYNOPSIS
        Leaves a file or folder to System and Administrators alone; everybody may create files below ProgramData.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    if (Test-Path -LiteralPath $Path -PathType Container) {
        $acl = New-Object -TypeName System.Security.AccessControl.DirectorySecurity
        $acl.SetSecurityDescriptorSddlForm('O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)')
    } else {
        $acl = New-Object -TypeName System.Security.AccessControl.FileSecurity
        $acl.SetSecurityDescriptorSddlForm('O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)')
    }
    Set-Acl -LiteralPath $Path -AclObject $acl -WhatIf:$false -Confirm:$false
}

function Assert-TrustedFolder {
    <#
    .SYNOPSIS
        Throws where a folder is a link, or belongs to somebody who is no administrator.
    .DESCRIPTION
        Everybody may make folders below ProgramData. In one that somebody else made, a backup that -Undo restores could be
        exchanged, and a link could lead what is written here anywhere.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    if (([System.IO.File]::GetAttributes($Path) -band [System.IO.FileAttributes]::ReparsePoint) -ne 0) {
        throw ('{0} is a link to somewhere else. Delete it, then try again.' -f $Path)
    }
    $owner = (Get-Acl -LiteralPath $Path).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    $installer = 'S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464'
    $self = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    if ('S-1-5-18', 'S-1-5-32-544', $installer, $self -notcontains $owner) {
        throw ('{0} belongs to {1}, not to Administrators: somebody else may have left something in it. Look into it, delete it, then try again.' -f $Path, $owner)
    }
}

function New-ProtectedFolder {
    <#
    .SYNOPSIS
        Makes a folder for System and Administrators alone. One of theirs that is there already is left as it is; any other is refused.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    if (Test-Path -LiteralPath $Path -PathType Container) {
        Assert-TrustedFolder -Path $Path
        return
    }
    # Without -Force: it fails where somebody made one in this very moment.
    $null = New-Item -ItemType Directory -Path $Path -WhatIf:$false -Confirm:$false
    Protect-UndoPath -Path $Path
}

function Write-UndoFile {
    <#
    .SYNOPSIS
        Writes a state as JSON (UTF-8) into a protected file; the file is whole or not there.
    #>
    [CmdletBinding()]
    param(
        [Parameter(Mandatory = $true)] [string] $Path,
        [Parameter(Mandatory = $true)] [psobject] $State
    )
    New-ProtectedFolder -Path (Split-Path -Path $Path -Parent)
    $unfinished = $Path + '.new'
    $utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
    $bytes = $utf8.GetBytes((ConvertTo-Json -InputObject $State -Depth 6))
    # A new file, not one that waits there.
    [System.IO.File]::Delete($unfinished)
    $stream = New-Object -TypeName System.IO.FileStream -ArgumentList $unfinished, ([System.IO.FileMode]::CreateNew)
    try { $stream.Write($bytes, 0, $bytes.Length) } finally { $stream.Dispose() }
    Protect-UndoPath -Path $unfinished
    Move-Item -LiteralPath $unfinished -Destination $Path -Force -WhatIf:$false -Confirm:$false
}

function Read-UndoFile {
    <#
    .SYNOPSIS
        Reads what Write-UndoFile wrote; nothing where there is no file. Throws if anyone but System or Administrators owns it.
    #>
    [CmdletBinding()]
    param([Parameter(Mandatory = $true)] [string] $Path)
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return }
    $acl = Get-Acl -LiteralPath $Path
    $owner = $acl.GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    if ('S-1-5-18', 'S-1-5-32-544' -notcontains $owner) {
        throw ('{0} belongs to {1}, not to Administrators: somebody else may have written it. Look at it, then move it away.' -f $Path, $owner)
    }
    ConvertFrom-Json -InputObject ([System.IO.File]::ReadAllText($Path))
}

Export-ModuleMember -Function @(
    'Get-AuditPolicyTable'
    'Get-SettingState'
    'Set-Setting'
    'Restore-Setting'
    'New-ProtectedFolder'
    'Write-UndoFile'
    'Read-UndoFile'
)
