/**
 * Stands in for windows/bridge.ps1 with a recorded output (agent/fixtures/bridge/*.bridge). Takes the bridge's own arguments and
 *   --recording FILE  what to write
 *   --state FOLDER    where it keeps how often it was started, so that the second reader can differ from the first
 *   --canary FILE     where the canary (sing-canary.ts) says that it was started
 * A recording has lines of the protocol as the bridge wrote them, and between them what it did:
 *   @run              the lines of the first, second, … reader of the log follow; the last ones serve all that come after
 *   @poll             the lines of a reader of the processes (-Mode poll) follow
 *   @half TEXT        half a line: no LF
 *   @bytes HEX …      raw bytes
 *   @big ID N TIME    a process start with a command line of N Cyrillic letters, which are two bytes each
 *   @pause MS         nothing for so long
 *   @hang             nothing for ever
 *   @exit CODE        the end
 *   @canary-sings     waits until the agent has started its canary
 *   @canary ID HOW    the canary's own event, `with` its command line or `without`
 *   @polled           waits until the reader of the processes has written all it has
 *   @mark NAME        tells the other reader that it came to here
 *   @await NAME       waits until the other reader came to that mark
 * {now}, {now-9s} and {now-ms} are times. As the real one it leaves out what lies behind the position that it was given, beats on
 * at the end, and ends when its output is closed or its parent is gone.
 */
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const EXIT_OUTPUT_CLOSED = 4;
const LOOK_MS = 20;

/** PowerShell's parameters have one dash; parseArgs knows two. */
const args = process.argv
  .slice(2)
  .map((argument) => (/^-[A-Z]/.test(argument) ? `-${argument}` : argument));
const { values } = parseArgs({
  args,
  strict: false,
  options: {
    AfterRecordId: { type: 'string', default: '-1' },
    Mode: { type: 'string', default: 'log' },
    ParentPid: { type: 'string', default: '0' },
    PollMs: { type: 'string', default: '1000' },
    recording: { type: 'string' },
    state: { type: 'string' },
    canary: { type: 'string' },
  },
});
const text = (name: string): string => String(values[name] ?? '');
const isPoll = text('Mode') === 'poll';
/** What lies behind it was read before; a log that was made anew begins again. */
let after = Number(text('AfterRecordId'));
const state = text('state');
const polledFile = join(state, 'polled');

/** The lines of this start: of the reader of the processes, or of the so-manyeth reader of the log. */
function sectionOfThisStart(): string[] {
  const lines = readFileSync(text('recording'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const sections: { readonly isPoll: boolean; readonly lines: string[] }[] = [];
  for (const line of lines) {
    if (line === '@run' || line === '@poll') sections.push({ isPoll: line === '@poll', lines: [] });
    else sections.at(-1)?.lines.push(line);
  }
  const mine = sections.filter((section) => section.isPoll === isPoll);
  return mine[Math.min(startsBefore(), mine.length - 1)]?.lines ?? [];
}

function startsBefore(): number {
  for (let count = 0; ; count += 1) {
    try {
      mkdirSync(join(state, `${isPoll ? 'poll' : 'run'}-${count}`));
      return count;
    } catch {
      // Another start of before.
    }
  }
}

function withTimes(line: string): string {
  return line
    .replaceAll('{now-ms}', () => String(Date.now()))
    .replace(/\{now(?:-(\d+)s)?\}/g, (_, seconds: string | undefined) =>
      new Date(Date.now() - Number(seconds ?? 0) * 1000).toISOString().replace('Z', '0000Z'),
    );
}

async function write(bytes: string | Buffer): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, 'drain');
}

async function until(file: string): Promise<void> {
  while (!existsSync(file) || readFileSync(file).length === 0) await delay(LOOK_MS);
}

interface Image {
  readonly pid: number;
  readonly program: string;
  readonly commandLine: string;
}

/** A process start of the recording's PC. */
function startXml(place: { id: string; time: string }, image: Image): string {
  const { id, time } = place;
  const { pid, program, commandLine } = image;
  return [
    `E <Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System>`,
    `<Provider Name='Microsoft-Windows-Security-Auditing' Guid='{54849625-5478-4994-a5ba-3e3b0328c30d}'/>`,
    `<EventID>4688</EventID><Version>2</Version><Level>0</Level><Task>13312</Task><Opcode>0</Opcode>`,
    `<Keywords>0x8020000000000000</Keywords><TimeCreated SystemTime='${time}'/><EventRecordID>${id}</EventRecordID>`,
    `<Correlation/><Execution ProcessID='4' ThreadID='196'/><Channel>Security</Channel>`,
    `<Computer>PC-0042.example.org</Computer><Security/></System><EventData>`,
    `<Data Name='SubjectUserSid'>S-1-5-21-1004336348-1177238915-682003330-1104</Data>`,
    `<Data Name='SubjectUserName'>anna</Data><Data Name='SubjectDomainName'>EXAMPLE</Data>`,
    `<Data Name='NewProcessId'>0x${pid.toString(16)}</Data><Data Name='NewProcessName'>${program}</Data>`,
    `<Data Name='CommandLine'>${commandLine}</Data></EventData></Event>\n`,
  ].join('');
}

/** What a line that begins with @ asks for. */
async function act(name: string, rest: string): Promise<void> {
  const [first = '', second = '', third = ''] = rest.split(' ');
  switch (name) {
    case '@half':
      return write(rest);
    case '@bytes':
      return write(Buffer.from(rest.replaceAll(' ', ''), 'hex'));
    case '@big': {
      const commandLine = `chrome.exe ${'ж'.repeat(Number(second))}`;
      const image = { pid: 0x1234, program: 'C:\\Windows\\chrome.exe', commandLine };
      return write(startXml({ id: first, time: third }, image));
    }
    case '@pause':
      return delay(Number(first));
    case '@hang':
      for (;;) await delay(60_000);
    case '@exit':
      return process.exit(Number(first));
    case '@canary-sings':
      return until(text('canary'));
    case '@canary': {
      await until(text('canary'));
      const canary = JSON.parse(readFileSync(text('canary'), 'utf8')) as Image;
      const commandLine = second === 'with' ? canary.commandLine : '';
      return write(startXml({ id: first, time: withTimes('{now}') }, { ...canary, commandLine }));
    }
    case '@polled':
      return until(polledFile);
    case '@mark':
      return writeFileSync(join(state, `mark-${first}`), 'x');
    case '@await':
      return until(join(state, `mark-${first}`));
    default:
      throw new Error(`The recording asks for ${name}, which nobody knows.`);
  }
}

/** Whether the real one would write this line behind its position. */
function isNew(line: string): boolean {
  const id = /^E .*<EventRecordID>(\d+)</.exec(line)?.[1];
  if (id !== undefined) return Number(id) > after;
  const [kind, , oldest] = line.split(' ');
  if (kind === 'G') return Number(oldest) - 1 > after;
  if (kind === 'R') after = Number(oldest) - 1;
  return !(line.startsWith('S ') && after >= 0);
}

async function play(): Promise<never> {
  let heartbeat = `H ${after} ${after} ${after}`;
  for (const line of sectionOfThisStart()) {
    if (line.startsWith('@')) {
      const blank = `${line} `.indexOf(' ');
      await act(line.slice(0, blank), line.slice(blank + 1));
    } else if (isNew(line)) await write(`${withTimes(line)}\n`);
    if (line.startsWith('H ')) heartbeat = line;
  }
  if (isPoll) writeFileSync(polledFile, 'x');
  for (;;) {
    await delay(Number(text('PollMs')));
    await write(isPoll ? `T ${Date.now()}\n` : `${heartbeat}\n`);
  }
}

process.stdout.on('error', () => process.exit(EXIT_OUTPUT_CLOSED));
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(3);
}, 200).unref();
await play();
