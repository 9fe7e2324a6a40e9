/**
 * The runner of programs itself: lines, ends, signals, and that nothing outlives its parent.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { eventually } from './eventually.ts';
import { runProgram, startProgram } from './processes.ts';

const node = process.execPath;
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

test('runProgram() gives the exit code and both streams, and feeds the input', async () => {
  const script = `process.stdin.on('data', (text) => process.stdout.write('got ' + text));
    process.stdin.on('end', () => { console.error('bye'); process.exitCode = 3; });`;
  const ended = await runProgram(node, ['-e', script], { input: 'abc' });
  assert.deepEqual(ended, { code: 3, signal: null, stdout: 'got abc', stderr: 'bye\n' });
});

test('waitForLine() finds a line printed before or later, whole lines only', async (t) => {
  const script = `process.stdout.write('ready to be ');
    process.stdin.once('data', () => { console.log('ready'); console.error('second'); });`;
  const program = startProgram(node, ['-e', script], { t });
  program.stdin.write('go\n');
  assert.equal(await program.waitForLine(/^ready/), 'ready to be ready');
  assert.equal(await program.waitForLine(/^second$/), 'second');
  assert.equal(await program.waitForLine(/^ready/), 'ready to be ready');
});

test('waitForLine() rejects with what was printed when the program ends first', async () => {
  const program = startProgram(node, ['-e', `console.log('only this')`]);
  await assert.rejects(program.waitForLine(/never/), /ended without a line .*only this/s);
});

test('a command that does not exist is an error that names it', async () => {
  await assert.rejects(runProgram('/no/such/program', []), /no\/such\/program/);
});

test('signal() and stop() reach the program, and tell how it ended', async () => {
  const script = `process.on('SIGTERM', () => process.exit(7)); setInterval(() => {}, 1000); console.log('up');`;
  const polite = startProgram(node, ['-e', script]);
  await polite.waitForLine(/up/);
  assert.deepEqual(await polite.stop(), { code: 7, signal: null });
  assert.equal(polite.signal('SIGTERM'), false);

  const crashed = startProgram(node, ['-e', script]);
  await crashed.waitForLine(/up/);
  assert.equal(crashed.signal('SIGKILL'), true);
  assert.deepEqual(await crashed.exited, { code: null, signal: 'SIGKILL' });
});

test('a program, and what it started, end when the process that started it is killed', async (t) => {
  const support = fileURLToPath(new URL('./processes.ts', import.meta.url));
  const grandchild = `setInterval(() => {}, 1000)`;
  const child = `const { spawn } = require('node:child_process');
    const kid = spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}]);
    process.on('SIGTERM', () => {}); console.log(process.pid, kid.pid); setInterval(() => {}, 1000);`;
  const parent = `import { startProgram } from ${JSON.stringify(support)};
    const program = startProgram(process.execPath, ['-e', ${JSON.stringify(child)}]);
    console.log('pids', await program.waitForLine(/^\\d+ \\d+$/));`;
  const program = startProgram(node, ['--input-type=module', '-e', parent], { t });
  const pids = (await program.waitForLine(/^pids/)).match(/\d+/g)?.map(Number) ?? [];
  assert.equal(pids.length, 2);
  assert.ok(pids.every(isAlive));
  program.signal('SIGKILL');
  await eventually(() => !pids.some(isAlive));
});
