/**
 * Stands in for windows/bridge.ps1: plays recorded events through its line protocol to standard output, as a live log would give
 * them. Takes the bridge's own arguments (-AfterRecordId, -ScannedId, -Start, -ParentPid, -PollMs, -HeartbeatSec, -Log; not -Mode poll) and what to play:
 *   --file FILE       events as XML, one a line, with rising record ids (or with --retime). With -Log ForwardedEvents they are of many
 *                     PCs, with the ids of those: their places in the log are counted from --first (default 1)
 *   --seconds N       spread them over N seconds (default 0: all at once)
 *   --retime          rewrite times to now and record ids to rising ones, as if it happened live
 *   --die-after N     exit with --exit-code (default 4) after N events, in the middle of the next line
 *   --hang-after N    say nothing any more after N events
 *   --garbage-after N print bytes that are no lines of the protocol after N events, then go on as if nothing had been
 *   --gap A-B         say that records A to B are gone, before the first event past B
 *   --new             start behind the newest record when no position is given, as the real one does; without it the recording
 *                     counts as what happens after the start
 *   --hold FILE       before the event number --hold-after (default 0), wait for as long as FILE is there
 *   --stopped FILE    while FILE is there the event log service is stopped: exit with 6
 *   --cleared FILE    after the last event the log is cleared: record ids begin anew with the events of FILE
 *   --follow          what is added to the recording later is played too
 * Keeps: after the last event it beats on, like a quiet log, until it is ended or its parent is gone.
 */
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const PROTOCOL = 2;
const EXIT_PARENT_GONE = 3;
const EXIT_OUTPUT_CLOSED = 4;
const EXIT_NO_LOG = 6;
/** Record id before the first event of a recording that is played with `--retime`. */
const RETIMED_BASE = 1_000_000;
const PARENT_LOOK_MS = 200;
/** What a console may say in the middle of everything; no UTF-8, NULs, half a line. */
const GARBAGE = Buffer.concat([
  Buffer.from('Windows PowerShell\r\n\u001b[31;1mException calling "ReadEvent"\r\n'),
  Buffer.from([0xff, 0xfe, 0x00, 0xd8, 0x00, 0x0a, 0xc3, 0x28, 0x0a]),
  Buffer.from('E <Event><System'),
  Buffer.from('\n'),
]);

interface Recorded {
  readonly id: number;
  readonly xml: string;
}

/** PowerShell's parameters have one dash; parseArgs knows two. */
const args = process.argv
  .slice(2)
  .map((argument) => (/^-[A-Z]/.test(argument) ? `-${argument}` : argument));
const { values } = parseArgs({
  args,
  options: {
    AfterRecordId: { type: 'string', default: '-1' },
    ScannedId: { type: 'string', default: '-1' },
    ParentPid: { type: 'string', default: '0' },
    PollMs: { type: 'string', default: '1000' },
    HeartbeatSec: { type: 'string', default: '15' },
    Start: { type: 'string', default: 'now' },
    Log: { type: 'string', default: 'Security' },
    RecountSec: { type: 'string', default: '0' },
    file: { type: 'string' },
    seconds: { type: 'string', default: '0' },
    retime: { type: 'boolean', default: false },
    first: { type: 'string', default: '1' },
    'die-after': { type: 'string' },
    'exit-code': { type: 'string', default: '4' },
    'hang-after': { type: 'string' },
    'garbage-after': { type: 'string' },
    gap: { type: 'string' },
    new: { type: 'boolean', default: false },
    hold: { type: 'string' },
    'hold-after': { type: 'string', default: '0' },
    stopped: { type: 'string' },
    cleared: { type: 'string' },
    follow: { type: 'boolean', default: false },
  },
});

const forwarded = values.Log !== 'Security';

/** Record id of an event in the log that is read. */
function placeOf(xml: string, index: number): number {
  if (forwarded) return Number(values.first) + index;
  if (values.retime) return RETIMED_BASE + index + 1;
  return Number(/<EventRecordID>(\d+)</.exec(xml)?.[1] ?? Number.NaN);
}

function recording(file = values.file): Recorded[] {
  if (file === undefined) throw new Error('Name the recording with --file FILE.');
  const text = readFileSync(file, 'utf8');
  const events = text
    // A line that is being added is no event yet.
    .slice(0, values.follow ? text.lastIndexOf('\n') + 1 : text.length)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((xml, index) => ({ id: placeOf(xml, index), xml: xml.trimEnd() }));
  if (events.some((event, index) => event.id <= (events[index - 1]?.id ?? -1)))
    throw new Error(`Record ids of ${file} do not rise. Play it with --retime.`);
  return events;
}

/** The event as if it happened now, with 7 digits of a second as Windows prints them. */
function live(event: Recorded): string {
  if (!values.retime) return event.xml;
  const now = new Date()
    .toISOString()
    .replace('Z', `${String(event.id % 10_000).padStart(4, '0')}Z`);
  const timed = event.xml.replace(/SystemTime=(['"])[^'"]*/, `SystemTime=$1${now}`);
  return forwarded ? timed : timed.replace(/<EventRecordID>\d+/, `<EventRecordID>${event.id}`);
}

/** The line of an event. */
const lineOf = (event: Recorded, xml: string): string =>
  forwarded ? `F ${event.id} ${xml}` : `E ${xml}`;

async function write(text: string | Buffer): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

/** Ends like the real one when the agent is gone: its pipe breaks, or its process is no more. */
function dieWithParent(): void {
  process.stdout.on('error', () => process.exit(EXIT_OUTPUT_CLOSED));
  const parent = Number(values.ParentPid);
  const first = process.ppid;
  setInterval(() => {
    if (process.ppid !== first || (parent > 0 && !isAlive(parent))) process.exit(EXIT_PARENT_GONE);
  }, PARENT_LOOK_MS).unref();
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Beats until the process is ended, or until there is more to play. */
async function beatOn(last: number): Promise<void> {
  for (let beatMs = Number.NEGATIVE_INFINITY; ; ) {
    if (performance.now() - beatMs >= Number(values.HeartbeatSec) * 1000) {
      await write(`H ${last} ${last} ${last}\n`);
      beatMs = performance.now();
    }
    await delay(Number(values.PollMs));
    exitIfStopped();
    if (values.follow && (recording().at(-1)?.id ?? 0) > last) return;
  }
}

/** The service that the real one reads from can be stopped. */
function exitIfStopped(): void {
  if (values.stopped !== undefined && existsSync(values.stopped)) process.exit(EXIT_NO_LOG);
}

async function holdOn(at: number, last: number): Promise<void> {
  exitIfStopped();
  if (values.hold === undefined || at < Number(values['hold-after'])) return;
  if (existsSync(values.hold)) await write(`H ${last} ${last} ${last}\n`);
  while (existsSync(values.hold)) await delay(PARENT_LOOK_MS / 10);
}

/** Misbehaves where it was told to, before the event number `at` (from 0). */
async function misbehave(at: number, last: number, next?: Recorded): Promise<void> {
  await holdOn(at, last);
  if (values['hang-after'] !== undefined && at >= Number(values['hang-after'])) {
    // A timer keeps the process: it must be ended from outside.
    for (;;) await delay(60_000);
  }
  if (values['garbage-after'] !== undefined && at === Number(values['garbage-after'])) {
    await write(GARBAGE);
  }
  if (values['die-after'] !== undefined && at >= Number(values['die-after'])) {
    await write(next === undefined ? 'E ' : lineOf(next, next.xml.slice(0, 100)));
    process.exit(Number(values['exit-code']));
  }
}

/** The line that says a gap, and the record id before which it is due. */
function gap(after: number): { readonly line: string; readonly before: number } | undefined {
  const [from, to] = (values.gap ?? '').split('-').map(Number);
  if (from === undefined || to === undefined || after >= to) return undefined;
  return { line: `G ${from - 1} ${to + 1}\n`, before: to + 1 };
}

async function play(): Promise<void> {
  const all = recording();
  const cleared = values.cleared === undefined ? [] : recording(values.cleared);
  const newest = all.at(-1)?.id ?? 0;
  let last = Math.max(Number(values.AfterRecordId), -1);
  // Nothing between: a position below the first record is one of the log that was begun anew.
  const isAnew = cleared.length > 0 && last >= 0 && last < (all[0]?.id ?? 0) - 1;
  await write(`V ${PROTOCOL} stand-in\n`);
  if (last < 0) {
    last = values.new && values.Start !== 'oldest' ? newest : (all[0]?.id ?? 1) - 1;
    await write(`S ${last}\n`);
  }
  await write(`H ${last} ${Math.max(last, Number(values.ScannedId))} ${newest}\n`);
  if (!isAnew) last = await playAll(all, last);
  if (cleared.length > 0) last = await playCleared(cleared, last, isAnew);
  await misbehave(played, last);
  for (;;) {
    await beatOn(last);
    last = await playAll(recording(), last);
  }
}

/** Plays the log that was begun anew, and says before that it was; unless that was said before (`isAnew`). */
async function playCleared(
  all: readonly Recorded[],
  last: number,
  isAnew: boolean,
): Promise<number> {
  const begin = all[0]?.id ?? 1;
  if (!isAnew) await write(`R ${last} ${begin} ${all.at(-1)?.id}\n`);
  return await playAll(all, isAnew ? last : begin - 1);
}

/** Events that the last playAll() had. */
let played = 0;

/** Plays what comes behind `last`; gives the id of the last one. */
async function playAll(all: readonly Recorded[], after: number): Promise<number> {
  let last = after;
  const newest = all.at(-1)?.id ?? last;
  const events = all.filter((event) => event.id > last);
  played = events.length;
  const spread = values.follow ? events.length : all.length;
  const spacingMs = (Number(values.seconds) * 1000) / Math.max(1, spread);
  let due = gap(last);
  let beatMs = performance.now();
  for (const [index, event] of events.entries()) {
    await misbehave(index, last, event);
    if (due !== undefined && event.id >= due.before) {
      await write(due.line);
      due = undefined;
    }
    await write(`${lineOf(event, live(event))}\n`);
    last = event.id;
    // The real one beats after each look at the log that found something.
    if (performance.now() - beatMs >= Number(values.PollMs) || spacingMs >= Number(values.PollMs)) {
      await write(`H ${last} ${last} ${newest}\n`);
      beatMs = performance.now();
    }
    if (spacingMs > 0) await delay(spacingMs);
  }
  await write(`H ${last} ${last} ${newest}\n`);
  return last;
}

dieWithParent();
await play();
