# Reads the Security log and writes its process starts, one line each, to standard output. Started by the agent; stores nothing.
#
# Runs in Windows PowerShell 5.1 and in PowerShell 7. It compiles nothing, registers no event handlers and renders no messages.
# It polls: an event subscription has no way to slow down, while a poll waits in Write when the agent does not read.
#
# Lines: one letter, a blank, the rest; UTF-8 without a byte order mark; LF ends each.
#   V <protocol> <PowerShell version>       first line. This is protocol 1.
#   S <newest>                              no position was given: reading starts behind record <newest>
#   E <Event ...>...</Event>                one event as EvtRender prints it; CR and LF in it as character references
#   H <last> <scanned>                      heartbeat, at least every -HeartbeatSec: all events up to <last> are written, all
#                                           records up to <scanned> were looked at. Both numbers are the position to store
#   G <scanned> <oldest>                    gap: the log now begins at <oldest>, past <scanned> + 1 (cleared or rolled over)
#   R <scanned> <oldest> <newest>           record ids went back: the log was made anew; reading starts at <oldest>
#   W <text>                                warning, reading goes on. "stale": the log was cleared under the reader
#   X <text>                                cannot work here. "clm": Constrained Language mode
# Exit codes: 3 the agent is gone; 4 standard output was closed, or a fault outside the reading; 5 access denied;
#   6 no Security log; 8 Constrained Language mode. PowerShell itself ends with 1 when the script cannot be run.
param(
  # Record id of the last event that the agent has stored; -1 = start behind the newest record.
  [long]$AfterRecordId = -1,
  # Second number of the last heartbeat that the agent has stored.
  [long]$ScannedId = -1,
  # Process id of the agent; 0 = do not watch it.
  [int]$ParentPid = 0,
  [int]$PollMs = 1000,
  # Events per read of the log. Halved when their size is more than the service takes.
  [int]$BatchSize = 64,
  [int]$HeartbeatSec = 15
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

$protocol = 1
$exitAgentGone = 3
$exitOutputClosed = 4
$exitAccessDenied = 5
$exitNoLog = 6

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

if ($PSVersionTable.PSVersion.Major -ge 6) {
  Add-Type -AssemblyName System.Diagnostics.EventLog -ErrorAction SilentlyContinue
}

$logName = 'Security'
$byName = [System.Diagnostics.Eventing.Reader.PathType]::LogName
$session = [System.Diagnostics.Eventing.Reader.EventLogSession]::GlobalSession
# 4688 process start. The others say why starts may be missing: 1100 service stopped, 1101 events dropped, 1102 log cleared,
# 1104 log full, 4719 audit policy changed. At most 20 expressions may stand in one query.
$ids = 'EventID=4688 or EventID=1100 or EventID=1101 or EventID=1102 or EventID=1104 or EventID=4719'

# A handle, not a number to look up: process ids are used again.
$parent = $null
if ($ParentPid -gt 0) {
  try {
    $parent = [System.Diagnostics.Process]::GetProcessById($ParentPid)
  } catch {
    exit $exitAgentGone
  }
}

$last = $AfterRecordId
$scanned = [Math]::Max($AfterRecordId, $ScannedId)
$seenNewest = [long]-1
$backwards = 0
$bookmark = $null
$bookmarkId = [long]0
$nextBeat = [DateTime]::UtcNow
$waitMs = $PollMs
$code = 0

function New-Reader {
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

function Read-NewEvents {
  $reader = New-Reader
  $kept = $null
  $wrote = $false
  try {
    $reader.BatchSize = $script:BatchSize
    while ($null -ne ($record = $reader.ReadEvent())) {
      $id = [long]$record.RecordId
      # The seek to a bookmark is not strict: at the end of the log it gives the bookmarked event again.
      if ($id -le $script:last) {
        $record.Dispose()
        continue
      }
      $xml = $record.ToXml().Replace("`r", '&#13;').Replace("`n", '&#10;')
      Send-Line 'E' $xml
      $script:last = $id
      if ($null -ne $kept) { $kept.Dispose() }
      $kept = $record
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
  Send-Line 'H' "$($script:last) $($script:scanned)"
  $out.Flush()
  $script:nextBeat = [DateTime]::UtcNow.AddSeconds($HeartbeatSec)
}

function Start-At([long]$oldest) {
  $script:last = $oldest - 1
  $script:scanned = $script:last
  $script:bookmark = $null
  $script:backwards = 0
}

function Test-Position([long]$oldest, [long]$newest) {
  if ($script:last -lt 0) {
    $script:last = $newest
    $script:scanned = $newest
    Send-Line 'S' "$newest"
  }
  if ($script:scanned -gt $newest) {
    # The count of records is not exact while the log is written to: believe it when it is seen twice.
    $script:backwards += 1
    if ($script:backwards -lt 2) { return $false }
    Send-Line 'R' "$($script:scanned) $oldest $newest"
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
  $info = $session.GetLogInformation($logName, $byName)
  if ($null -eq $info.OldestRecordNumber -or $null -eq $info.RecordCount -or $info.RecordCount -le 0) { return $false }
  $oldest = [long]$info.OldestRecordNumber
  $newest = $oldest + [long]$info.RecordCount - 1
  if (-not (Test-Position $oldest $newest)) { return $false }
  if ($newest -eq $script:seenNewest) { return $false }
  $wrote = Read-NewEvents
  $script:seenNewest = $newest
  $script:scanned = [Math]::Max([Math]::Max($newest, $script:last), $script:scanned)
  return $wrote
}

try {
  Send-Line 'V' "$protocol $($PSVersionTable.PSVersion)"
  $out.Flush()
  while ($true) {
    if ($null -ne $parent -and $parent.HasExited) {
      $code = $exitAgentGone
      break
    }
    $wrote = $false
    try {
      $wrote = Step-Log
      $waitMs = $PollMs
    } catch {
      # .NET errors reach PowerShell wrapped: the innermost one says what it is.
      $fault = $_.Exception.GetBaseException()
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
    if ($wrote -or [DateTime]::UtcNow -ge $nextBeat) { Send-Heartbeat }
    [System.Threading.Thread]::Sleep($waitMs)
  }
} catch {
  $code = $exitOutputClosed
} finally {
  try { $out.Flush() } catch { $code = $exitOutputClosed }
}
exit $code
