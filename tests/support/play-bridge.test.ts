/**
 * Goal: the stand-in for the bridge behaves as the real one promises, or tests and demo prove nothing.
 * Method: run it and read its lines with the agent's own reader of the protocol.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type BridgeLine, readBridgeLine } from '../../agent/src/capture/bridge-protocol.ts';
import { eventually } from './eventually.ts';

const BRIDGE = fileURLToPath(new URL('./play-bridge.ts', import.meta.url));
const OFFICE = fileURLToPath(
  new URL('../../ecs-schemas/fixtures/demo-office.xml.ndlines', import.meta.url),
);
const recorded = readFileSync(OFFICE, 'utf8').trimEnd().split('\n');

async function linesUntil(
  enough: (line: BridgeLine) => boolean,
  ...args: string[]
): Promise<BridgeLine[]> {
  const child = spawn(process.execPath, [BRIDGE, '--file', OFFICE, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: BridgeLine[] = [];
  for await (const text of createInterface({ input: child.stdout })) {
    lines.push(readBridgeLine(text));
    if (enough(lines.at(-1) ?? { kind: 'unknown' })) break;
  }
  child.kill('SIGKILL');
  return lines;
}

const text = (line: BridgeLine): string => (line.kind === 'event' ? line.xml : '');
const timeOf = (xml: string): number => Date.parse(/SystemTime='([^']+)/.exec(xml)?.[1] ?? '');
const idOf = (xml: string): number => Number(/<EventRecordID>(\d+)/.exec(xml)?.[1]);

test('it begins with its version and a position, gives every event, and beats behind the last', async () => {
  let events = 0;
  const lines = await linesUntil((line) => {
    if (line.kind === 'event') events += 1;
    return line.kind === 'heartbeat' && events === recorded.length;
  });
  assert.deepEqual(
    lines.slice(0, 3).map((line) => line.kind),
    ['version', 'start', 'heartbeat'],
  );
  assert.ok(lines.every((line) => line.kind !== 'unknown'));
  assert.deepEqual(
    lines.map(text).filter((xml) => xml !== ''),
    recorded,
  );
  const last = lines.at(-1);
  assert.ok(last?.kind === 'heartbeat' && last.recordId === idOf(recorded.at(-1) ?? ''));
});

test('with --retime events happen now and their record ids rise, also when it goes on behind one', async () => {
  const startMs = Date.now();
  const args = ['--retime', '-AfterRecordId', '1000100', '-ParentPid', String(process.pid)];
  const lines = await linesUntil((line) => text(line).includes('>1000110<'), ...args);
  const events = lines.map(text).filter((xml) => xml !== '');
  assert.deepEqual(
    events.map(idOf),
    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map((step) => 1_000_100 + step),
  );
  for (const xml of events) assert.ok(timeOf(xml) >= startMs - 1 && timeOf(xml) <= Date.now());
  assert.match(events[0] ?? '', /SystemTime='[\d-]+T[\d:]+\.\d{7}Z'/);
});

test('forwarded events have places of their own in the log, whatever their record ids', async () => {
  const args = ['-Log', 'ForwardedEvents', '--first', '501', '-AfterRecordId', '503'];
  const lines = await linesUntil((line) => line.kind === 'forwarded', ...args);
  assert.deepEqual(lines.at(-1), { kind: 'forwarded', recordId: 504, xml: recorded[3] });
});

test('it ends when the process that started it is killed', async () => {
  const launcher = `
    const { spawn } = require('node:child_process');
    const child = spawn(process.execPath, ${JSON.stringify([BRIDGE, '--file', OFFICE, '--seconds', '600'])}, { stdio: ['ignore', 'pipe', 'ignore'] });
    child.stdout.once('data', () => console.log(child.pid));
    setInterval(() => {}, 1000);`;
  const parent = spawn(process.execPath, ['-e', launcher], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [pid] = await new Promise<number[]>((resolve) => {
    parent.stdout.once('data', (bytes: Buffer) => resolve([Number(String(bytes))]));
  });
  assert.ok(pid !== undefined && pid > 0);
  parent.kill('SIGKILL');
  await eventually(() => {
    assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
  });
});
