/**
 * The gate between two programs: passes, cuts, holds up, counts bytes.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { eventually } from './eventually.ts';
import { startHttpGate } from './http-gate.ts';

/** A server that says how many bytes it got, behind a gate. */
async function behindGate(t: TestContext) {
  const seen: number[] = [];
  const server = createServer((request, response) => {
    let bytes = 0;
    request.on('data', (part: Buffer) => {
      bytes += part.length;
    });
    request.on('end', () => {
      seen.push(bytes);
      response.end(`${bytes} bytes`);
    });
    request.on('error', () => {}); // cut off in its middle
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gate = await startHttpGate({ target: { port: (server.address() as AddressInfo).port } });
  t.after(async () => {
    await gate.stop();
    server.closeAllConnections();
    server.close();
  });
  const post = async (body: string): Promise<string> => {
    const answer = await fetch(`http://127.0.0.1:${gate.port}/`, { method: 'POST', body });
    return await answer.text();
  };
  return { gate, post, seen };
}

test('an open gate lets requests and answers pass, large ones too', async (t) => {
  const { gate, post } = await behindGate(t);
  assert.equal(await post('x'.repeat(3_000_000)), '3000000 bytes');
  gate.setDelay(1);
  assert.equal(await post('abc'), '3 bytes');
  assert.ok(gate.connections() >= 1);
});

test('cut() refuses connections until resume()', async (t) => {
  const { gate, post, seen } = await behindGate(t);
  assert.equal(await post('a'), '1 bytes');
  gate.cut();
  await assert.rejects(post('b'));
  gate.resume();
  assert.equal(await post('c'), '1 bytes');
  assert.equal(seen.length, 2);
});

test('pause() holds a request up, resume() lets it go on, cut() ends it', async (t) => {
  const { gate, post, seen } = await behindGate(t);
  gate.pause();
  const held = post('abc');
  await eventually(() => gate.connections() === 1);
  assert.equal(seen.length, 0);
  gate.resume();
  assert.equal(await held, '3 bytes');

  gate.pause();
  const ended = assert.rejects(post('abc'));
  gate.cut();
  await ended;
  assert.equal(seen.length, 1);
});

test('cutAfter() ends a request in its middle, once', async (t) => {
  const { gate, post, seen } = await behindGate(t);
  gate.cutAfter(1000);
  await assert.rejects(post('x'.repeat(100_000)));
  assert.deepEqual(seen, []);
  assert.equal(await post('abc'), '3 bytes');
});

test(`cutAfter(…, 'answer') loses the answer of a request that was served`, async (t) => {
  const { gate, post, seen } = await behindGate(t);
  gate.cutAfter(1, 'answer');
  await assert.rejects(post('abc'));
  assert.deepEqual(seen, [3]);
});

test('setRate() lets bytes pass little by little, all of them', async (t) => {
  const { gate, post } = await behindGate(t);
  gate.setRate(20_000);
  assert.equal(await post('x'.repeat(10_000)), '10000 bytes');
});

test('refuse() answers in the place of the target until resume()', async (t) => {
  const { gate, post, seen } = await behindGate(t);
  gate.refuse(429);
  const answer = await fetch(`http://127.0.0.1:${gate.port}/`, { method: 'POST', body: 'abc' });
  assert.equal(answer.status, 429);
  assert.deepEqual([gate.refused(), seen.length], [1, 0]);
  gate.resume();
  assert.equal(await post('abc'), '3 bytes');
});
