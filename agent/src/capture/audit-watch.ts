/**
 * Takes what the reader of the live log sees, finds out whether Windows writes process starts and their command lines at all: by a
 * canary now and then, and by the events that come. Gives how the log stands, and when process-poll is to stand in.
 * Keeps: a canary is judged only when everything in the log was read; what is found is told once, when it changes; the canary's own
 * event goes no further.
 */
import type { HeartbeatLine, LogInfo } from './bridge-protocol.ts';
import { type Canary, canarySong, hasCommandLine, newProcessId, startCanary } from './canary.ts';
import type { SourceFact } from './captured-event.ts';
import { LOG_MODES, type LogStanding } from './log-standing.ts';

export interface CanaryOptions {
  readonly command: readonly string[];
  readonly intervalMs: number;
  /** How long its event may take; default SONG_WAIT_MS. */
  readonly waitMs?: number;
}

export interface AuditWatchOptions {
  /** Undefined = no canary: what is audited is known by the events alone. */
  readonly canary: CanaryOptions | undefined;
  /** Unix milliseconds, for tests. */
  readonly now?: () => number;
  /** Milliseconds of a clock that nobody sets, for tests. */
  readonly elapsed?: () => number;
  /** Starts a canary, for tests. */
  readonly start?: typeof startCanary;
}

/** The first process start that came after auditing was found off. */
export interface FirstAudited {
  readonly timeMs: number;
  readonly pid: number;
}

export interface AuditWatch {
  /** A process start came. True = it is the agent's own canary, which goes no further. */
  start(xml: string, timeMs: number): boolean;
  heartbeat(line: HeartbeatLine): void;
  info(info: LogInfo): void;
  /** The audit policy or the clock was changed: try again soon. */
  doubt(): void;
  /** The reader ended because it may not read the log. */
  denied(): void;
  /** What was found out since the last call. */
  facts(): SourceFact[];
  standing(): LogStanding;
  /** Neither the log nor auditing can be relied on. */
  isBlind(): boolean;
  /** Set when process starts came again. */
  firstAudited(): FirstAudited | undefined;
}

/** A canary that was started, when by the clock that nobody sets, and the newest record then. */
type Singing = Canary & { readonly elapsedMs: number; readonly newestId: number };

/** An event stands in the log within seconds. */
const SONG_WAIT_MS = 15_000;
/** While auditing is off it is tried this often at least. */
const OFF_INTERVAL_MS_MAX = 5 * 60_000;

/** Makes the watch of one run. */
export function createAuditWatch(options: AuditWatchOptions): AuditWatch {
  return new Watch(options);
}

class Watch implements AuditWatch {
  readonly #options: AuditWatchOptions;
  readonly #now: () => number;
  readonly #elapsed: () => number;
  #facts: SourceFact[] = [];
  #standing: LogStanding;
  #canary: Singing | undefined;
  /** When the next one is due, by the clock that nobody sets. */
  #dueMs = 0;
  /** Events from here on show that auditing is on; older ones may stand in the log from before. */
  #liveFromMs: number;
  #first: FirstAudited | undefined;
  #lastStartAtMs = -1;
  #isOver = false;

  constructor(options: AuditWatchOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    // Not the time of day: setting it must not look like a canary that is not logged.
    this.#elapsed = options.elapsed ?? ((): number => performance.now());
    this.#standing = { atMs: this.#now() };
    this.#liveFromMs = this.#now();
  }

  start(xml: string, timeMs: number): boolean {
    const song = this.#canary === undefined ? undefined : canarySong(xml, this.#canary);
    if (song !== undefined) {
      this.#canary = undefined;
      this.#commandLine(song === 'with_command_line');
      this.#on({ timeMs, pid: newProcessId(xml) });
      return true;
    }
    if (timeMs > this.#lastStartAtMs) this.#lastStartAtMs = timeMs;
    if (this.#standing.processCreation !== true && timeMs >= this.#liveFromMs) {
      this.#on({ timeMs, pid: newProcessId(xml) });
      this.#dueMs = 0;
    }
    if (this.#standing.commandLine === undefined && hasCommandLine(xml)) this.#commandLine(true);
    return false;
  }

  heartbeat({ scannedId, newestId }: HeartbeatLine): void {
    this.#know({ readable: true, scannedId });
    if (newestId < 0) return;
    this.#know({ newestId });
    if (scannedId < newestId) return;
    const elapsedMs = this.#elapsed();
    if (this.#canary !== undefined) {
      const waited = elapsedMs - this.#canary.elapsedMs;
      if (waited >= this.#waitMs()) this.#off(this.#canary, newestId);
    } else if (elapsedMs >= this.#dueMs) this.#sing(elapsedMs, newestId);
  }

  info(info: LogInfo): void {
    const known = (value: number): number | undefined => (value < 0 ? undefined : value);
    this.#know({
      ...{ oldestId: known(info.oldestId), newestId: known(info.newestId) },
      ...{ oldestAtMs: known(info.oldestAtMs), newestAtMs: known(info.newestAtMs) },
      ...{ bytes: known(info.bytes), bytesMax: known(info.bytesMax), mode: LOG_MODES[info.mode] },
      ...{ full: info.full < 0 ? undefined : info.full > 0, readerBytes: known(info.readerBytes) },
    });
  }

  doubt(): void {
    this.#dueMs = 0;
  }

  denied(): void {
    // A canary of before can no longer be judged.
    this.#canary = undefined;
    this.#dueMs = 0;
    // Nor does the first start of an earlier time say where the log goes on.
    this.#first = undefined;
    this.#know({ readable: false });
  }

  facts(): SourceFact[] {
    const facts = this.#facts;
    this.#facts = [];
    return facts;
  }

  standing(): LogStanding {
    const lastStartAtMs = this.#lastStartAtMs;
    return lastStartAtMs < 0 ? this.#standing : { ...this.#standing, lastStartAtMs };
  }

  isBlind(): boolean {
    return this.#standing.readable === false || this.#standing.processCreation === false;
  }

  firstAudited(): FirstAudited | undefined {
    return this.#first;
  }

  #waitMs(): number {
    return this.#options.canary?.waitMs ?? SONG_WAIT_MS;
  }

  #know(part: Partial<LogStanding>): void {
    this.#standing = { ...this.#standing, ...part, atMs: this.#now() };
  }

  #tell(level: 'error' | 'warn' | 'info', reason: string): void {
    this.#facts.push({ kind: 'notice', name: 'auditing', level, reason });
  }

  #sing(elapsedMs: number, newestId: number): void {
    const { canary } = this.#options;
    if (canary === undefined || canary.intervalMs === 0 || this.#isOver) return;
    this.#dueMs = elapsedMs + canary.intervalMs;
    const started = (this.#options.start ?? startCanary)(canary.command, this.#now());
    if (typeof started !== 'string') {
      this.#canary = { ...started, elapsedMs, newestId };
      return;
    }
    // It will not be there the next time either.
    this.#isOver = true;
    this.#tell('warn', `Whether process starts are audited is not known: ${started}`);
  }

  #on(first: FirstAudited): void {
    const was = this.#standing.processCreation;
    this.#know({ processCreation: true, auditedAtMs: this.#now() });
    if (was !== false) return;
    this.#first = first;
    this.#tell('info', 'Windows audits process starts again');
  }

  #off(canary: Singing, newestId: number): void {
    this.#canary = undefined;
    const { intervalMs = 0 } = this.#options.canary ?? {};
    this.#dueMs = this.#elapsed() + Math.min(intervalMs, OFF_INTERVAL_MS_MAX);
    const was = this.#standing.processCreation;
    this.#know({ processCreation: false, auditedAtMs: this.#now() });
    this.#liveFromMs = canary.startedAtMs;
    this.#first = undefined;
    if (was === false) return;
    const how =
      newestId > canary.newestId
        ? 'The log went on without it'
        : 'Nothing at all was written to the log, which may also be full or stopped';
    this.#tell(
      'error',
      `Windows does not audit process starts: the process that the agent started as a trial was not logged within ${this.#waitMs() / 1000} s. ${how}. Switch on "Audit Process Creation" (docs/audit-policy.md)`,
    );
  }

  #commandLine(commandLine: boolean): void {
    const was = this.#standing.commandLine;
    this.#know({ commandLine });
    if (was === commandLine) return;
    if (!commandLine) {
      const mend = 'Switch on "Include command line in process creation events"';
      this.#tell('error', `Windows logs process starts without their command lines. ${mend}`);
    } else if (was === false) this.#tell('info', 'Windows logs command lines again');
  }
}
