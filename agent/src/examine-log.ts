/**
 * Takes how the live log stood when the agent last looked (kept in the data folder), gives the rows that `doctor` and `status` show of it.
 * Keeps: what is not known is said to be so, and a picture of long ago is told with its age.
 */
import { isLiveSource } from './capture/capture-config.ts';
import { FORWARDED_LOG } from './capture/captured-event.ts';
import type { LogStanding } from './capture/log-standing.ts';
import { recordsBehind } from './capture/log-standing.ts';
import type { Finding } from './finding.ts';
import { knownLogState } from './log-state-file.ts';

const MIB = 1024 * 1024;
/** An agent that runs writes each minute. */
const STALE_MS = 5 * 60_000;
/** The size that Microsoft's baseline asks for is 192 MiB. */
const LOG_BYTES_MIN = 128 * MIB;
/** The log must reach over a weekend in which the agent does not run. */
const REACH_MS_MIN = 3 * 86_400_000;
const BEHIND_MAX = 10_000;
const NEVER = 'not known: the agent has not read the log yet';
const POLICY =
  'See docs/audit-policy.md, or run audit-policy\\Test-LaunchbeatAudit.ps1 as an administrator.';

function ago(ms: number): string {
  const minutes = Math.round(Math.max(0, ms) / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}

/** The rows of the log that a source follows; none for files. What is audited is that of this PC: it says nothing of others. */
export function examineSource(source: string, folder: string): Finding[] {
  if (!isLiveSource(source)) return [];
  const state = knownLogState(folder);
  const rows = examineLog(state, Date.now());
  if (source === 'security-log' || state === undefined) return rows;
  return rows
    .filter(({ check }) => check !== 'auditing' && check !== 'command lines')
    .map((row) => ({ ...row, mend: row.mend?.replace('sl Security', `sl ${FORWARDED_LOG}`) }));
}

/** Rows "log access", "auditing", "command lines", "log size", "log reach", "log lag". */
export function examineLog(log: LogStanding | undefined, nowMs: number): Finding[] {
  if (log === undefined) {
    const mend = 'Start the agent; it looks within a minute.';
    return [{ check: 'auditing', state: 'warn', detail: NEVER, mend }];
  }
  return [
    access(log, nowMs),
    auditing(log, nowMs),
    commandLines(log),
    size(log),
    reach(log),
    lag(log),
  ];
}

function access({ readable, atMs }: LogStanding, nowMs: number): Finding {
  const check = 'log access';
  const seen = `${ago(nowMs - atMs)} ago`;
  if (readable === false) {
    const mend =
      'Put the account of the agent into Event Log Readers (S-1-5-32-573) and start it anew, or run it as LocalSystem.';
    return { check, state: 'fail', detail: `denied, ${seen}`, mend };
  }
  if (readable === undefined || nowMs - atMs > STALE_MS) {
    const detail = readable === undefined ? NEVER : `was read last ${seen}`;
    return { check, state: 'warn', detail, mend: 'See the rows "agent" and "bridge".' };
  }
  return { check, state: 'ok', detail: `read ${seen}` };
}

function auditing({ processCreation, auditedAtMs, polling }: LogStanding, nowMs: number): Finding {
  const check = 'auditing';
  const tried = auditedAtMs === undefined ? '' : `, tried ${ago(nowMs - auditedAtMs)} ago`;
  const poll = polling === true ? '; process-poll stands in and misses short-lived starts' : '';
  if (processCreation === undefined)
    return { check, state: 'warn', detail: `not known${poll}`, mend: POLICY };
  return processCreation
    ? { check, state: 'ok', detail: `process starts are logged${tried}` }
    : {
        check,
        state: 'fail',
        detail: `process starts are not logged${tried}${poll}`,
        mend: POLICY,
      };
}

function commandLines({ commandLine }: LogStanding): Finding {
  const check = 'command lines';
  if (commandLine === true) return { check, state: 'ok', detail: 'are logged' };
  return commandLine === false
    ? { check, state: 'fail', detail: 'are not logged', mend: POLICY }
    : { check, state: 'warn', detail: 'not known', mend: POLICY };
}

function size({ bytes, bytesMax, mode, full }: LogStanding): Finding {
  const check = 'log size';
  const mib = (value: number | undefined): string =>
    value === undefined ? '?' : String(Math.round(value / MIB));
  const detail = `${mib(bytes)} of ${mib(bytesMax)} MiB, when full: ${mode ?? 'not known'}`;
  if (mode === 'keep' || (full === true && mode !== 'overwrite')) {
    const mend = 'Set the log to overwrite events as needed: a full log keeps nothing new.';
    return { check, state: full === true ? 'fail' : 'warn', detail, mend };
  }
  if (bytesMax !== undefined && bytesMax < LOG_BYTES_MIN) {
    const mend =
      'A larger log keeps more while the agent is away: wevtutil sl Security /ms:201326592';
    return { check, state: 'warn', detail, mend };
  }
  return { check, state: 'ok', detail };
}

function reach({ oldestAtMs, newestAtMs, full, bytes, bytesMax }: LogStanding): Finding {
  const check = 'log reach';
  if (oldestAtMs === undefined || newestAtMs === undefined)
    return { check, state: 'ok', detail: 'not known' };
  const reachMs = newestAtMs - oldestAtMs;
  const detail = `oldest record ${ago(reachMs)} older than the newest`;
  // A young log reaches back little because nothing was overwritten yet.
  const wraps = full === true || (bytes ?? 0) >= 0.9 * (bytesMax ?? Number.POSITIVE_INFINITY);
  if (!wraps || reachMs >= REACH_MS_MIN) return { check, state: 'ok', detail };
  const mend = 'What the agent does not read in that time is lost: make the log larger.';
  return { check, state: 'warn', detail, mend };
}

function lag(log: LogStanding): Finding {
  const check = 'log lag';
  const behind = recordsBehind(log);
  if (behind === undefined) return { check, state: 'ok', detail: 'not known' };
  const detail = `${behind} records not read yet`;
  if (behind <= BEHIND_MAX) return { check, state: 'ok', detail };
  const mend = 'It catches up by itself; if it does not, see the rows "spool" and "disk space".';
  return { check, state: 'warn', detail, mend };
}
