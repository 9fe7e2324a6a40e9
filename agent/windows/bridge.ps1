# Reads the Security log, or the log of what other PCs forward, and writes its process starts, one line each, to standard output; or
# looks at the processes, where the log tells nothing of them. Started by the agent; stores nothing.
#
# Runs in Windows PowerShell 5.1 and in PowerShell 7. It compiles nothing, registers no event handlers and renders no messages.
# It polls: an event subscription has no way to slow down, while a poll waits in Write when the agent does not read.
#
# Lines: one letter, a blank, the rest; UTF-8 without a byte order mark; LF ends each. Times are Unix milliseconds, UTC.
#   V <protocol> <PowerShell version>       first line. This is protocol 2.
#   S <record>                              no position was given: reading starts behind this record
#   E <Event ...>...</Event>                one event as EvtRender prints it; CR and LF in it as character references
#   F <record> <Event ...>...</Event>       in place of E with -Log ForwardedEvents: an event of another PC, and its record in this log
#   H <last> <scanned> <newest>             heartbeat, at least every -HeartbeatSec: all events up to <last> are written, all
#                                           records up to <scanned> were looked at: the position to store. <newest> is the newest
#                                           record of the log; -1 = the log could not be looked at
#   G <scanned> <oldest>                    gap: the log now begins at <oldest>, past <scanned> + 1 (cleared or rolled over)
#   R <scanned> <oldest> <newest>           record ids went back: the log was made anew; reading starts at <oldest>
#   I <oldest> <newest> <oldest time> <newest time> <bytes> <bytes max> <mode> <full> <own memory>
#                                           the log and its settings, each minute; -1 = not known. <mode>: 0 overwrite, 1 archive,
#                                           2 keep
#   C <from> <to> <starts> <first>          recount: process starts that the log has between two times, record of the first one
#   U <record> <text>                       an event that Windows cannot give as XML, tried three times: passed over, and lost
#   W <text>                                warning, reading goes on. "stale": the log was cleared under the reader
#   X <text>                                cannot work here. "clm": Constrained Language mode. "bookmark": see exit code 7
# With -Mode poll it looks at the processes instead, for where they are not logged:
#   P <Event ...>...</Event>                a process made since -SinceMs, as an event of our own (provider Launchbeat-ProcessPoll)
#   T <time>                                every process made before this time that still lives has been written
# With -Mode file it reads one saved log, -Path, and ends: E lines for its process starts, H at least every -HeartbeatSec.
# Exit codes: 0 a saved log was read to its end; 3 the agent is gone; 4 standard output was closed, or a fault outside the reading; 5 access denied;
#   6 no such log; 7 where forwarded events stand in it cannot be told; 8 Constrained Language mode. PowerShell itself ends with 1 when the
#   script cannot be run.
param(
  # log: a live log. poll: the processes. file: a saved log.
  [string]$Mode = 'log',
  # Mode log: which one. Security, or ForwardedEvents: what other PCs sent to this one.
  [string]$Log = 'Security',
  # Mode file: the .evtx file.
  [string]$Path = '',
  # Record id of the last event that the agent has stored; -1 = none, see -Start.
  [long]$AfterRecordId = -1,
  # Second number of the last heartbeat that the agent has stored.
  [long]$ScannedId = -1,
  # Without a position: now = behind the newest record; oldest = at the oldest; a number = so many milliseconds back.
  [string]$Start = 'now',
  # Mode poll: processes made from this time on are new; -1 = from now on.
  [long]$SinceMs = -1,
  # Process id of the agent; 0 = do not watch it.
  [int]$ParentPid = 0,
  [int]$PollMs = 1000,
  # Events per read of the log. Halved when their size is more than the service takes.
  [int]$BatchSize = 64,
  [int]$HeartbeatSec = 15,
  # How often the log's own state is looked at.
  [int]$InfoSec = 60,
  # How often the process starts of the last ten minutes are counted again; 0 = never.
  [int]$RecountSec = 0
)
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$WarningPreference = 'SilentlyContinue'

# First, and with nothing but cmdlets: in Constrained Language mode every call below this is refused.
if ($ExecutionContext.SessionState.LanguageMode -ne 'FullLanguage') {
  Write-Output 'X clm'
  exit 8
}

Set-StrictMode -Version 2.0

$protocol = 2
$exitAgentGone = 3
$exitOutputClosed = 4
$exitAccessDenied = 5
$exitNoLog = 6
$exitNoBookmark = 7

# The console's code page must not matter (a Russian Windows has 866), so the bytes are ours.
$utf8 = New-Object System.Text.UTF8Encoding($false)
$out = New-Object System.IO.StreamWriter([Console]::OpenStandardOutput(), $utf8, 65536)
$out.NewLine = "`n"
$out.AutoFlush = $false

function Send-Line([string]$kind, [string]$body) {
  $out.Write($kind)
  $out.Write(' ')
  $out.WriteLine($body)
}

function Get-OneLine([string]$text) {
  return $text.Replace("`r", ' ').Replace("`n", ' ')
}

# Ticks (100 ns since the year 1) of 1970-01-01.
$epochTicks = 621355968000000000

function Get-UnixMs([DateTime]$time) {
  return [long][Math]::Floor(($time.ToUniversalTime().Ticks - $epochTicks) / 10000)
}

function Get-FromUnixMs([long]$ms) {
  return New-Object System.DateTime(($epochTicks + $ms * 10000), ([System.DateTimeKind]::Utc))
}

# A handle, not a number to look up: process ids are used again. .NET opens it for good when it is asked for it, else at each look.
$parent = $null
if ($ParentPid -gt 0) {
  try {
    $parent = [System.Diagnostics.Process]::GetProcessById($ParentPid)
  } catch {
    exit $exitAgentGone
  }
  try {
    $null = $parent.Handle
  } catch {
    $null = $parent.Id
  }
}

if ($PSVersionTable.PSVersion.Major -ge 6) {
  Add-Type -AssemblyName System.Diagnostics.EventLog -ErrorAction SilentlyContinue
}

$logName = $Log
$forwarded = $Mode -eq 'log' -and $Log -ne 'Security'
$byName = [System.Diagnostics.Eventing.Reader.PathType]::LogName
$session = [System.Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession
# 4688 process start. The others say why starts may be missing, or that times are not what they seem: 1100 service stopped, 1101
# events dropped, 1102 log cleared, 1104 log full, 1105 log archived, 1108 event not written, 4608 Windows started, 4616 clock set,
# 4719 audit policy changed. At most 20 expressions may stand in one query.
$ids = 'EventID=4688 or EventID=1100 or EventID=1101 or EventID=1102 or EventID=1104 or EventID=1105 or EventID=1108'
$ids = "$ids or EventID=4608 or EventID=4616 or EventID=4719"
# What other PCs' logs say of themselves is nothing about this log: the agent counts these and leaves them out.
if ($forwarded) { $ids = 'EventID=4688 or EventID=1102 or EventID=1104 or EventID=4719' }

$last = $AfterRecordId
$scanned = [Math]::Max($AfterRecordId, $ScannedId)
$newest = [long]-1
$seenNewest = [long]-1
$backwards = 0
$bookmark = $null
$bookmarkId = [long]0
$logOldest = [long]0
$logNewest = [long]0
# Forwarded: the record that was read before, in one reading.
$placeBefore = [long]-1
$batchSizeMax = $BatchSize
$goodReads = 0
# The event that could not be had as XML, and how often in a row.
$spoiltId = [long]-1
$spoiltTries = 0
# A saved log is read once.
$spoiltTriesMax = 3
if ($Mode -eq 'file') { $spoiltTriesMax = 1 }
$nextBeat = [DateTime]::UtcNow
$nextInfo = [DateTime]::UtcNow
$nextRecount = [DateTime]::UtcNow.AddSeconds($RecountSec)
$waitMs = $PollMs
$code = 0

# A forwarded event has the record id of the PC that wrote it, and XPath finds it by that one; its place in this log stands in its
# bookmark alone. A new .NET tells a bookmark's text and makes a bookmark of a text; in that of Windows PowerShell both are internal.
$bookmarkText = $null
$bookmarkMaker = $null
if ($forwarded) {
  $bookmarkType = [System.Diagnostics.Eventing.Reader.EventBookmark]
  $anyOf = [System.Reflection.BindingFlags]'Instance, Public, NonPublic'
  $bookmarkText = $bookmarkType.GetProperty('BookmarkXml', $anyOf)
  if ($null -eq $bookmarkText) { $bookmarkText = $bookmarkType.GetProperty('BookmarkText', $anyOf) }
  $bookmarkMaker = $bookmarkType.GetConstructor($anyOf, $null, [Type[]]@([string]), $null)
}

# The record of a forwarded event in this log. Places rise from event to event and lie in the log: where they do not, they are no
# places, and to go on by them would leave events out.
function Get-Place($record) {
  if ($null -eq $bookmarkText) { throw [System.MissingMemberException]::new('EventBookmark', 'BookmarkText') }
  $found = [regex]::Match([string]$bookmarkText.GetValue($record.Bookmark, $null), 'RecordId=.(\d{1,18})\D')
  $place = [long]-1
  if ($found.Success) { $place = [long]$found.Groups[1].Value }
  # More may have come since the log was looked at, and its count is not exact while it is written to.
  if ($place -gt $script:logNewest) {
    $now = $session.GetLogInformation($logName, $byName)
    $script:logNewest = [long]$now.OldestRecordNumber + [long]$now.RecordCount + 1000
  }
  if ($place -le $script:placeBefore -or $place -lt $script:logOldest -or $place -gt $script:logNewest) {
    throw [System.MissingMemberException]::new('EventBookmark', 'RecordId')
  }
  $script:placeBefore = $place
  return $place
}

# The bookmark of the last record that was read. $null = it is gone, or none can be made: reading begins at the oldest record, and
# what was read before is passed over.
function New-Bookmark {
  if ($null -eq $bookmarkMaker -or $script:last -lt $script:logOldest) { return $null }
  $text = "<BookmarkList><Bookmark Channel='$logName' RecordId='$($script:last)' IsCurrent='true'/></BookmarkList>"
  $script:bookmarkId = $script:last
  return $bookmarkMaker.Invoke([object[]]@($text))
}

function New-Reader {
  $script:placeBefore = [long]-1
  if ($forwarded -and $null -eq $script:bookmark) {
    $script:bookmark = New-Bookmark
    if ($null -eq $script:bookmark) {
      $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, "*[System[($ids)]]")
      return [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
    }
  }
  # By record id only at the start and after trouble: the service may walk the whole log for it. Else by bookmark.
  if ($null -eq $script:bookmark) {
    $xpath = "*[System[($ids) and EventRecordID>$($script:last)]]"
    $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, $xpath)
    return [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
  }
  $xpath = "*[System[($ids)]]"
  $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, $xpath)
  return [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query, $script:bookmark)
}

# The event on one line; $null for one to pass over, or it would stop everything behind it. Throws while it is worth another try.
function Get-EventLine($record, [long]$id) {
  try {
    return $record.ToXml().Replace("`r", '&#13;').Replace("`n", '&#10;')
  } catch {
    if ($script:spoiltId -ne $id) { $script:spoiltTries = 0 }
    $script:spoiltId = $id
    $script:spoiltTries += 1
    if ($script:spoiltTries -lt $spoiltTriesMax) { throw }
    $fault = $_.Exception.GetBaseException()
    Send-Line 'U' "$id $(Get-OneLine ($fault.GetType().Name + ' ' + $fault.Message))"
    return $null
  }
}

function Read-NewEvents {
  $reader = New-Reader
  $kept = $null
  $wrote = $false
  try {
    $reader.BatchSize = $script:BatchSize
    while ($null -ne ($record = $reader.ReadEvent())) {
      if ($forwarded) { $id = Get-Place $record } else { $id = [long]$record.RecordId }
      # The seek to a bookmark is not strict: at the end of the log it gives the bookmarked event again.
      if ($id -le $script:last) {
        $record.Dispose()
        continue
      }
      if ($null -ne $kept) { $kept.Dispose() }
      $kept = $record
      $line = Get-EventLine $record $id
      if ($forwarded -and $null -ne $line) {
        Send-Line 'F' "$id $line"
      } elseif ($null -ne $line) {
        Send-Line 'E' $line
      }
      $script:last = $id
      $wrote = $true
      # A long backlog must not look like a hang, and what is written must be of use.
      if ([DateTime]::UtcNow -ge $script:nextBeat) {
        $script:scanned = [Math]::Max($script:scanned, $script:last)
        Send-Heartbeat
      }
    }
    if ($null -ne $kept) {
      $script:bookmark = $kept.Bookmark
      $script:bookmarkId = $script:last
    }
  } finally {
    if ($null -ne $kept) { $kept.Dispose() }
    $reader.Dispose()
  }
  return $wrote
}

function Send-Heartbeat {
  Send-Line 'H' "$($script:last) $($script:scanned) $($script:newest)"
  $out.Flush()
  $script:nextBeat = [DateTime]::UtcNow.AddSeconds($HeartbeatSec)
}

# Time of the first record that a query finds, or -1.
function Get-FirstTime([string]$xpath, [bool]$newestFirst) {
  $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, $xpath)
  $query.ReverseDirection = $newestFirst
  $reader = [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
  try {
    $reader.BatchSize = 1
    $record = $reader.ReadEvent()
    if ($null -eq $record) { return [long]-1 }
    try {
      if ($null -eq $record.TimeCreated) { return [long]-1 }
      return (Get-UnixMs $record.TimeCreated)
    } finally {
      $record.Dispose()
    }
  } finally {
    $reader.Dispose()
  }
}

# How the log stands. A part that cannot be had must not cost the others.
function Send-LogInfo($info, [long]$oldest, [long]$newestId) {
  $times = @([long]-1, [long]-1)
  try {
    $times = @((Get-FirstTime '*' $false), (Get-FirstTime '*' $true))
  } catch {
    $times = @([long]-1, [long]-1)
  }
  $bytesMax = [long]-1
  $logMode = -1
  try {
    $settings = [System.Diagnostics.Eventing.Reader.EventLogConfiguration]::new($logName)
    try {
      $bytesMax = [long]$settings.MaximumSizeInBytes
      $logMode = [int]$settings.LogMode
    } finally {
      $settings.Dispose()
    }
  } catch {
    $logMode = -1
  }
  $bytes = [long]-1
  if ($null -ne $info.FileSize) { $bytes = [long]$info.FileSize }
  $full = -1
  if ($null -ne $info.IsLogFull) { $full = [int][bool]$info.IsLogFull }
  $self = [System.Diagnostics.Process]::GetCurrentProcess()
  $memory = [long]$self.WorkingSet64
  $self.Dispose()
  Send-Line 'I' "$oldest $newestId $($times[0]) $($times[1]) $bytes $bytesMax $logMode $full $memory"
}

# Counts what the log has of the ten minutes before the last whole one, from its newest record back: only the end of it is read.
function Send-Recount {
  $now = [DateTime]::UtcNow
  $to = $now.Date.AddMinutes([Math]::Floor($now.TimeOfDay.TotalMinutes) - 1)
  $from = $to.AddMinutes(-10)
  $starts = [long]0
  $firstId = [long]-1
  $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, '*[System[(EventID=4688)]]')
  $query.ReverseDirection = $true
  $reader = [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
  try {
    while ($null -ne ($record = $reader.ReadEvent())) {
      try {
        $time = $record.TimeCreated.ToUniversalTime()
        if ($time -lt $from) { break }
        if ($time -lt $to) {
          $starts += 1
          $firstId = [long]$record.RecordId
        }
      } finally {
        $record.Dispose()
      }
      if ([DateTime]::UtcNow -ge $script:nextBeat) { Send-Heartbeat }
    }
  } finally {
    $reader.Dispose()
  }
  Send-Line 'C' "$(Get-UnixMs $from) $(Get-UnixMs $to) $starts $firstId"
}

# The record behind which reading starts where there is no position.
function Get-StartRecord([long]$oldest, [long]$newestId) {
  if ($Start -eq 'oldest') { return $oldest - 1 }
  if ($Start -eq 'now') { return $newestId }
  $xpath = "*[System[TimeCreated[timediff(@SystemTime) <= $([long]$Start)]]]"
  $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($logName, $byName, $xpath)
  $reader = [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
  try {
    $record = $reader.ReadEvent()
    if ($null -eq $record) { return $newestId }
    try {
      $script:placeBefore = [long]-1
      if ($forwarded) { return (Get-Place $record) - 1 }
      return [long]$record.RecordId - 1
    } finally {
      $record.Dispose()
    }
  } finally {
    $reader.Dispose()
  }
}

function Start-At([long]$oldest) {
  $script:last = $oldest - 1
  $script:scanned = $script:last
  $script:bookmark = $null
  $script:backwards = 0
}

function Test-Position([long]$oldest, [long]$newestId) {
  if ($script:last -lt 0) {
    $script:last = Get-StartRecord $oldest $newestId
    $script:scanned = $script:last
    Send-Line 'S' "$($script:last)"
  }
  if ($script:scanned -gt $newestId) {
    # The count of records is not exact while the log is written to: believe it when it is seen twice.
    $script:backwards += 1
    if ($script:backwards -lt 2) { return $false }
    Send-Line 'R' "$($script:scanned) $oldest $newestId"
    Start-At $oldest
  } elseif ($oldest -gt $script:scanned + 1) {
    Send-Line 'G' "$($script:scanned) $oldest"
    Start-At $oldest
  }
  $script:backwards = 0
  # The bookmarked record is gone: a seek to it would go astray.
  if ($oldest -gt $script:bookmarkId) { $script:bookmark = $null }
  return $true
}

# True when events were written.
function Step-Log {
  $script:newest = [long]-1
  $info = $session.GetLogInformation($logName, $byName)
  # What comes into an empty log comes after the start.
  if ($script:last -lt 0 -and $null -ne $info.RecordCount -and $info.RecordCount -eq 0) { $script:Start = 'oldest' }
  if ($null -eq $info.OldestRecordNumber -or $null -eq $info.RecordCount -or $info.RecordCount -le 0) { return $false }
  $oldest = [long]$info.OldestRecordNumber
  $newestId = $oldest + [long]$info.RecordCount - 1
  $script:logOldest = $oldest
  $script:logNewest = $newestId
  if (-not (Test-Position $oldest $newestId)) { return $false }
  $script:newest = $newestId
  $now = [DateTime]::UtcNow
  if ($now -ge $script:nextInfo) {
    Send-LogInfo $info $oldest $newestId
    $script:nextInfo = $now.AddSeconds($InfoSec)
  }
  $wrote = $false
  if ($newestId -ne $script:seenNewest) {
    $wrote = Read-NewEvents
    $script:seenNewest = $newestId
    $script:scanned = [Math]::Max([Math]::Max($newestId, $script:last), $script:scanned)
  }
  # Only behind the last event: what is not read yet is not missed.
  if ($RecountSec -gt 0 -and $now -ge $script:nextRecount) {
    $script:nextRecount = $now.AddSeconds($RecountSec)
    Send-Recount
  }
  return $wrote
}

# ---- Mode poll: the processes of this PC, for where their starts are not logged.

$pollChannel = 'Launchbeat-ProcessPoll'
$pollProvider = "Name='Launchbeat-ProcessPoll' Guid='{8a1f6b57-2c4e-4a5d-9b0e-5f0c1d2e3a47}'"
$sinceTime = [DateTime]::UtcNow
if ($SinceMs -ge 0) { $sinceTime = Get-FromUnixMs $SinceMs }
# Process id to time of its making: who is in it was written, or was there before.
$known = @{}
$wholeLook = 0
$computer = ''

# The name that Windows writes into its events: with the domain, where there is one.
function Get-ComputerName {
  $ip = [System.Net.NetworkInformation.IPGlobalProperties]::GetIPGlobalProperties()
  if ([string]::IsNullOrEmpty($ip.DomainName)) { return $ip.HostName }
  return "$($ip.HostName).$($ip.DomainName)"
}

# One value as XML on one line. Other control characters are left to the agent, as in events of Windows.
function Get-DataXml([string]$name, [string]$value) {
  $escaped = [System.Security.SecurityElement]::Escape($value)
  if ($null -eq $escaped) { $escaped = '' }
  $escaped = $escaped.Replace("`r", '&#13;').Replace("`n", '&#10;')
  return "<Data Name='$name'>$escaped</Data>"
}

# Who owns a process. It may have ended meanwhile, or be one that tells nobody.
function Get-Owner($process) {
  $owner = @{ Sid = ''; Name = ''; Domain = '' }
  try {
    $sid = Invoke-CimMethod -InputObject $process -MethodName GetOwnerSid
    if ($sid.ReturnValue -eq 0) { $owner.Sid = [string]$sid.Sid }
    $account = Invoke-CimMethod -InputObject $process -MethodName GetOwner
    if ($account.ReturnValue -eq 0) {
      $owner.Name = [string]$account.User
      $owner.Domain = [string]$account.Domain
    }
  } catch {
    return $owner
  }
  return $owner
}

# A process id may have been used again: only who was there before can be the parent.
function Get-ParentPath($process, $byId) {
  $parent = $byId[[int]$process.ParentProcessId]
  if ($null -eq $parent -or $null -eq $parent.CreationDate) { return '' }
  if ($parent.CreationDate -gt $process.CreationDate) { return '' }
  return [string]$parent.ExecutablePath
}

# The event's record id is the process id: with its time the same process always has the same key.
function Send-Process($process, $byId) {
  $owner = Get-Owner $process
  # As UTC its form 'o' is that of Windows' events, in every culture.
  $made = $process.CreationDate.ToUniversalTime()
  $path = [string]$process.ExecutablePath
  if ($path -eq '') { $path = [string]$process.Name }
  $system = "<Provider $pollProvider/><EventID>1</EventID><Version>0</Version><Level>0</Level><Task>0</Task><Opcode>0</Opcode>"
  $system = "$system<Keywords>0x0</Keywords><TimeCreated SystemTime='$($made.ToString('o'))'/>"
  $system = "$system<EventRecordID>$($process.ProcessId)</EventRecordID><Correlation/><Execution ProcessID='0' ThreadID='0'/>"
  $system = "$system<Channel>$pollChannel</Channel><Computer>$($script:computer)</Computer><Security/>"
  $data = @(
    (Get-DataXml 'SubjectUserSid' $owner.Sid),
    (Get-DataXml 'SubjectUserName' $owner.Name),
    (Get-DataXml 'SubjectDomainName' $owner.Domain),
    (Get-DataXml 'NewProcessId' ('0x{0:x}' -f [long]$process.ProcessId)),
    (Get-DataXml 'NewProcessName' $path),
    (Get-DataXml 'ProcessId' ('0x{0:x}' -f [long]$process.ParentProcessId)),
    (Get-DataXml 'CommandLine' ([string]$process.CommandLine)),
    (Get-DataXml 'ParentProcessName' (Get-ParentPath $process $byId)),
    (Get-DataXml 'SessionId' ([string]$process.SessionId))
  )
  $xmlns = 'http://schemas.microsoft.com/win/2004/08/events/event'
  Send-Line 'P' "<Event xmlns='$xmlns'><System>$system</System><EventData>$($data -join '')</EventData></Event>"
}

# True when a process is there that was not at the last look. The list of ids costs next to nothing; who they are costs more.
function Test-NewProcess {
  $found = $false
  foreach ($process in [System.Diagnostics.Process]::GetProcesses()) {
    if (-not $script:known.ContainsKey([int]$process.Id)) { $found = $true }
    $process.Dispose()
  }
  return $found
}

function Step-Poll {
  $now = [DateTime]::UtcNow
  # An id that was used again at once looks like the old one: all are looked at each 30 times.
  $script:wholeLook -= 1
  if ($script:wholeLook -ge 0 -and -not (Test-NewProcess)) {
    Send-Line 'T' "$(Get-UnixMs $now)"
    $out.Flush()
    return
  }
  $script:wholeLook = 30
  $fields = 'ProcessId, ParentProcessId, Name, ExecutablePath, CommandLine, CreationDate, SessionId, Handle'
  $byId = @{}
  foreach ($process in Get-CimInstance -Query "SELECT $fields FROM Win32_Process") { $byId[[int]$process.ProcessId] = $process }
  $seen = @{}
  foreach ($id in $byId.Keys) {
    $process = $byId[$id]
    $made = $process.CreationDate
    $seen[$id] = $made
    if ($null -eq $made -or $script:known[$id] -eq $made) { continue }
    if ($made.ToUniversalTime() -ge $script:sinceTime) { Send-Process $process $byId }
  }
  $script:known = $seen
  Send-Line 'T' "$(Get-UnixMs $now)"
  $out.Flush()
}

# ---- Mode file: a saved log.

function Read-SavedLog {
  $byFile = [System.Diagnostics.Eventing.Reader.PathType]::FilePath
  $query = [System.Diagnostics.Eventing.Reader.EventLogQuery]::new($Path, $byFile, '*[System[(EventID=4688)]]')
  # A damaged log gives what can be read of it.
  $query.TolerateQueryErrors = $true
  $reader = [System.Diagnostics.Eventing.Reader.EventLogReader]::new($query)
  try {
    $reader.BatchSize = $BatchSize
    while ($null -ne ($record = $reader.ReadEvent())) {
      try {
        $id = [long]$record.RecordId
        $line = Get-EventLine $record $id
        if ($null -ne $line) { Send-Line 'E' $line }
        $script:last = $id
        $script:scanned = $id
      } finally {
        $record.Dispose()
      }
      if ([DateTime]::UtcNow -ge $script:nextBeat) { Send-Heartbeat }
    }
  } finally {
    $reader.Dispose()
  }
  Send-Heartbeat
}

function Invoke-Step {
  if ($Mode -eq 'poll') {
    Step-Poll
    $script:nextBeat = [DateTime]::UtcNow.AddSeconds($HeartbeatSec)
    return $false
  }
  return (Step-Log)
}

try {
  Send-Line 'V' "$protocol $($PSVersionTable.PSVersion)"
  $out.Flush()
  if ($Mode -eq 'poll') { $computer = Get-ComputerName }
  if ($Mode -eq 'file') { Read-SavedLog }
  while ($Mode -ne 'file') {
    if ($null -ne $parent -and $parent.HasExited) {
      $code = $exitAgentGone
      break
    }
    $wrote = $false
    try {
      $wrote = Invoke-Step
      $waitMs = $PollMs
      # What was too much once need not be for ever.
      $goodReads += 1
      if ($goodReads -ge 100 -and $BatchSize -lt $batchSizeMax) {
        $BatchSize = [Math]::Min($BatchSize * 2, $batchSizeMax)
        $goodReads = 0
      }
    } catch {
      # .NET errors reach PowerShell wrapped: the innermost one says what it is.
      $fault = $_.Exception.GetBaseException()
      $newest = [long]-1
      $goodReads = 0
      if ($fault -is [System.IO.IOException] -or $fault -is [System.ObjectDisposedException]) {
        $code = $exitOutputClosed
        break
      }
      if ($fault -is [System.UnauthorizedAccessException]) {
        $code = $exitAccessDenied
        break
      }
      if ($fault -is [System.Diagnostics.Eventing.Reader.EventLogNotFoundException]) {
        $code = $exitNoLog
        break
      }
      if ($fault -is [System.MissingMemberException]) {
        Send-Line 'X' 'bookmark'
        $code = $exitNoBookmark
        break
      }
      $bookmark = $null
      $seenNewest = [long]-1
      if ($fault -is [System.Diagnostics.Eventing.Reader.EventLogReadingException]) {
        Send-Line 'W' 'stale'
      } else {
        # 1734, "the array bounds are invalid": the events of one read were larger than a call may be.
        $BatchSize = [int][Math]::Max(1, [Math]::Floor($BatchSize / 2))
        Send-Line 'W' (Get-OneLine ($fault.GetType().Name + ' ' + $fault.Message))
      }
      $out.Flush()
      # Trouble that lasts is told ever more seldom, but heartbeats must not stop.
      $waitMs = [Math]::Min($waitMs * 2, $HeartbeatSec * 1000)
    }
    if ($Mode -ne 'poll' -and ($wrote -or [DateTime]::UtcNow -ge $nextBeat)) { Send-Heartbeat }
    [System.Threading.Thread]::Sleep($waitMs)
  }
} catch {
  $fault = $_.Exception.GetBaseException()
  $code = $exitOutputClosed
  if ($Mode -eq 'file' -and $fault -isnot [System.IO.IOException]) {
    if ($fault -is [System.UnauthorizedAccessException]) { $code = $exitAccessDenied }
    if ($fault -is [System.Diagnostics.Eventing.Reader.EventLogNotFoundException]) { $code = $exitNoLog }
    Send-Line 'W' (Get-OneLine ($fault.GetType().Name + ' ' + $fault.Message))
  }
} finally {
  try { $out.Flush() } catch { $code = $exitOutputClosed }
}
exit $code
