/**
 * Goal: a peer that a variable names is measured, and one that fails says why. Method: a stand-in that takes the peer's arguments, reads its
 * config for where to send what, asks the sink who it is, and ships the file by `_bulk`; the peers themselves are in no registry.
 */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { writeLines } from '../event-lines.ts';
import { measurePeer } from './peer.ts';
import { findFilebeat } from './peer-filebeat.ts';
import { findOtelcol } from './peer-otelcol.ts';

const EVENTS = 300;
const isLinux = process.platform === 'linux';
const PLACE = { folder: '/spool', sinkUrl: 'http://127.0.0.1:9200' };

const STAND_IN = `#!${process.execPath}
const { readFileSync } = require('node:fs');
const { dirname, join } = require('node:path');
if (process.argv.includes('version') || process.argv.includes('--version')) {
  console.log('stand-in version 9.9.9 (linux)');
  process.exit(0);
}
const config = process.argv.find((one) => /\\.ya?ml$/.test(one));
const text = readFileSync(config, 'utf8');
const url = /http:\\/\\/127[^"'\\s]+/.exec(text)[0];
const lines = readFileSync(join(dirname(config), 'launchbeat.20260302.1.ndjson'), 'utf8').trimEnd().split('\\n');
(async () => {
  const who = await (await fetch(url)).json();
  if (!who.version.number.startsWith('8.')) throw new Error('no Elasticsearch');
  for (let at = 0; at < lines.length; at += 100) {
    const body = lines.slice(at, at + 100).map((line) => '{"create":{}}\\n' + line + '\\n').join('');
    const answer = await fetch(url + '/_bulk', { method: 'POST', body });
    if ((await answer.json()).items.length !== Math.min(100, lines.length - at)) throw new Error('items');
  }
  setInterval(() => undefined, 1000);
})();
`;

function standIn(t: TestContext, variable: string, text: string): void {
  const program = join(temporaryFolder(t), 'peer');
  writeFileSync(program, text, { mode: 0o755 });
  process.env[variable] = program;
  t.after(() => delete process.env[variable]);
}

function lines(t: TestContext): { file: string; events: number; folder: string } {
  const folder = temporaryFolder(t);
  const file = join(folder, 'lines.ndjson');
  writeLines(file, EVENTS, {
    namespace: 'default',
    agentId: '6f1c1f5e-7d9d-4f3e-9d39-4c8f5a0d2b11',
  });
  return { file, events: EVENTS, folder: join(folder, 'peer') };
}

for (const [variable, find] of [
  ['BENCH_PEER_FILEBEAT', findFilebeat],
  ['BENCH_PEER_OTELCOL', findOtelcol],
] as const) {
  test(`${variable} names a peer, which ships the file to the sink`, {
    skip: isLinux ? false : 'CPU seconds come from /proc',
  }, async (t) => {
    standIn(t, variable, STAND_IN);
    const peer = find();
    assert.ok(peer);
    assert.equal(peer.version, '9.9.9');
    const { folder, ...what } = lines(t);
    const shipping = await measurePeer(peer, folder, what);
    assert.ok(shipping.wireBytesPerEvent > 1000, JSON.stringify(shipping));
  });

  test(`without ${variable} the peer is left out, with a wrong one the bench ends`, (t) => {
    assert.equal(find(), undefined);
    process.env[variable] = '/nowhere/peer';
    t.after(() => delete process.env[variable]);
    assert.throws(find, new RegExp(`${variable} is /nowhere/peer, which is not there`));
  });
}

test('a peer that ends by itself is told with its words', async (t) => {
  standIn(
    t,
    'BENCH_PEER_FILEBEAT',
    `#!${process.execPath}\nconsole.error('no such output'); process.exit(1);\n`,
  );
  const peer = findFilebeat();
  assert.ok(peer);
  const { folder, ...what } = lines(t);
  await assert.rejects(measurePeer(peer, folder, what), /Filebeat ended with 1:\nno such output/);
});

test('what peers are told: this file, this sink, no compression', (t) => {
  standIn(t, 'BENCH_PEER_FILEBEAT', STAND_IN);
  standIn(t, 'BENCH_PEER_OTELCOL', STAND_IN);
  const beat = parse(findFilebeat()?.config(PLACE).text ?? '');
  assert.deepEqual(beat.filebeat.inputs[0].paths, ['/spool/*.ndjson']);
  assert.deepEqual(beat.output.elasticsearch.hosts, [PLACE.sinkUrl]);
  assert.equal(beat.output.elasticsearch.compression_level, 0);
  const collector = parse(findOtelcol()?.config(PLACE).text ?? '');
  assert.deepEqual(collector.receivers.filelog.include, ['/spool/*.ndjson']);
  assert.deepEqual(collector.exporters.elasticsearch.endpoints, [PLACE.sinkUrl]);
  assert.equal(collector.exporters.elasticsearch.compression, 'none');
});
