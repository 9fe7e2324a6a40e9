/**
 * Goal: honest chunks of every kind pass admit, and whose they are is settled by the key. Method: real HTTP, real PostgreSQL.
 */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';
import { constants, zstdCompressSync } from 'node:zlib';
import { LIMIT } from '@launchbeat/ecs-schemas';
import { chunkHeaders, startCollectorApp } from '../../../tests/support/collector-app.ts';
import { ndjsonLines, processStart } from '../../../tests/support/documents.ts';

const ONE = '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11';
const TWO = '00000000-0000-4000-8000-000000000002';

test('a new key belongs to the first of two agents that use it at once', async (t) => {
  const app = await startCollectorApp(t);
  const answers = await Promise.all(
    [ONE, TWO].map((id) => app.send(ndjsonLines([processStart({ agent: { id } })]))),
  );
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [200, 403]);
  const winner = answers[0]?.status === 200 ? ONE : TWO;
  assert.equal((await app.keys.list())[0]?.agentId, winner);
});

test('an agent id in capitals is the same agent', async (t) => {
  const app = await startCollectorApp(t);
  await app.send(ndjsonLines([processStart()]));
  const loud = processStart({ agent: { id: ONE.toUpperCase() } });
  assert.equal((await app.send(ndjsonLines([loud]))).status, 200);
});

test('lines of two namespaces are answered 413, so that the agent halves down to chunks of one each', async (t) => {
  const app = await startCollectorApp(t, { namespaces: ['default', 'lab'] });
  const inLab = processStart({ data_stream: { namespace: 'lab' } });
  const own = processStart();
  const mixed = await app.send(ndjsonLines([own, inLab]));
  assert.equal(mixed.status, 413);
  assert.match(mixed.body.detail, /one namespace only\. Send halves/);
  assert.equal((await app.send(ndjsonLines([own]))).status, 200);
  assert.equal((await app.send(ndjsonLines([inLab]))).status, 200);
  assert.deepEqual(
    app.offered.map((chunk) => chunk.namespace),
    ['default', 'lab'],
  );
});

test('lines of a namespace that is not taken are rejected by number', async (t) => {
  const app = await startCollectorApp(t);
  const foreign = processStart({ data_stream: { namespace: 'foreign' } });
  const answer = await app.send(ndjsonLines([foreign, processStart()]));
  assert.equal(answer.body.accepted, 1);
  assert.match(answer.body.rejected[0].reason, /not among elasticsearch\.namespaces/);
});

test('reasons name the field, and end where the event’s own names begin', async (t) => {
  const app = await startCollectorApp(t);
  const lines = [
    processStart({ host: { name: undefined } }),
    processStart({ winlog: { event_data: { hunter2: 7 as unknown as string } } }),
    processStart({ event: { id: 'AAAAAAAAAAAAAAAAAAAAAA' } }),
  ];
  const { body } = await app.send(ndjsonLines(lines));
  const [first, second, third] = body.rejected.map((one: { reason: string }) => one.reason);
  assert.match(first, /^host\.name: /);
  assert.match(second, /^winlog\.event_data: /);
  assert.equal(third, 'event.id: Event id does not belong to @timestamp');
});

for (const level of [1, 3, 19]) {
  test(`the largest chunk, compressed at level ${level}, passes`, async (t) => {
    const app = await startCollectorApp(t);
    // Few lines of much text: what is tested is the size. 62 MiB of text that does not compress to nothing.
    const text = Array.from({ length: 4000 }, (_, at) => (at * 2_654_435_761).toString(36)).join(
      ' ',
    );
    const filler = text.repeat(8).slice(0, 200_000);
    const lines = Array.from({ length: 320 }, () => processStart({ message: filler }));
    const raw = ndjsonLines(lines);
    assert.ok(raw.length > 60 * 1024 ** 2 && raw.length < LIMIT.decompressedBytesMax);
    const body = zstdCompressSync(raw, { params: { [constants.ZSTD_c_compressionLevel]: level } });
    const answer = await app.send(body, { compressed: true, lines: lines.length });
    assert.equal(answer.body.accepted, lines.length, JSON.stringify(answer.body).slice(0, 500));
  });
}

test('a wrong key is answered before the body comes', async (t) => {
  const app = await startCollectorApp(t);
  const headers = chunkHeaders({ id: 'nobody', secret: 'x' }, Buffer.from('\n'), Buffer.from('x'));
  const socket = connect({ port: app.server.port, host: '127.0.0.1' });
  t.after(() => socket.destroy());
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(
    `POST /v1/chunks HTTP/1.1\r\nHost: x\r\n${head.join('')}Content-Length: 8000000\r\n\r\n`,
  );
  const answer = await new Promise<string>((resolve) => {
    socket.once('data', (bytes) => resolve(bytes.toString()));
  });
  assert.match(answer, /^HTTP\/1\.1 401 /);
  assert.match(answer, /connection: close/i);
});
