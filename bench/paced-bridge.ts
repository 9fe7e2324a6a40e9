/**
 * Stands in for windows/bridge.ps1 at a steady rate: looks at "the log" each -PollMs, as the real one does, and prints the events
 * that happened since the last look, with the times at which they happened.
 *   --rate N          events per second (0 = a quiet log)
 *   --watched-every N each N-th event is a person's start of a watched program, the others are of programs that nobody watches
 *   --seconds N       no more events after N seconds (default: for ever)
 * Prints `V`, `S`, `E` and `H` lines by the bridge's own protocol and goes when its parent goes.
 */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { BRIDGE_PROTOCOL } from '../agent/src/capture/bridge-protocol.ts';
import { eventXml } from './event-xml.ts';

const FIRST_RECORD = 218_404;

const args = process.argv
  .slice(2)
  .map((argument) => (/^-[A-Z]/.test(argument) ? `-${argument}` : argument));
const { values } = parseArgs({
  args,
  strict: false,
  options: {
    AfterRecordId: { type: 'string', default: '-1' },
    PollMs: { type: 'string', default: '1000' },
    HeartbeatSec: { type: 'string', default: '15' },
    rate: { type: 'string', default: '0' },
    'watched-every': { type: 'string', default: '20' },
    seconds: { type: 'string', default: 'Infinity' },
  },
});
const pollMs = Number(values.PollMs);
const heartbeatMs = Number(values.HeartbeatSec) * 1000;
const rate = Number(values.rate);
const watchedEvery = Number(values['watched-every']);
const eventsMax = rate * Number(values.seconds);

process.stdout.on('error', () => process.exit(4));
const parent = process.ppid;
setInterval(() => {
  if (process.ppid !== parent) process.exit(3);
}, 500).unref();

const newest = FIRST_RECORD - 1;
process.stdout.write(`V ${BRIDGE_PROTOCOL} bench\n`);
if (Number(values.AfterRecordId) < 0) process.stdout.write(`S ${newest}\n`);
process.stdout.write(`H ${newest} ${newest} ${newest}\n`);

const startMs = Date.now();
let beatMs = startMs;
for (let n = 0; ; ) {
  await delay(pollMs);
  const nowMs = Date.now();
  const due = Math.min(eventsMax, Math.floor(((nowMs - startMs) / 1000) * rate));
  const lines: string[] = [];
  for (; n < due; n += 1) {
    // Somewhere in its own share of time: else all would stand in step with the looks.
    const timeMs = startMs + Math.floor(((n + ((n * 0.618) % 1)) / rate) * 1000);
    const watched = n % watchedEvery === 0;
    lines.push(`E ${eventXml(n, { timeMs, computer: 'PC-001.office.example', watched })}\n`);
  }
  if (lines.length > 0 || nowMs - beatMs >= heartbeatMs) {
    beatMs = nowMs;
    lines.push(`H ${newest + n} ${newest + n} ${newest + n}\n`);
    if (!process.stdout.write(lines.join(''))) await once(process.stdout, 'drain');
  }
}
