/** Attacks on the way in, while an honest agent ships: bombs, lies about lengths, lines and documents that are too much. */
import assert from 'node:assert/strict';
import { appendFileSync, readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { gzipSync } from 'node:zlib';
import { CHUNKS_PATH } from '@launchbeat/ecs-schemas';
import { usageWhereKnown } from '../../bench/process-usage.ts';
import { ndjsonLines, processStart } from '../support/documents.ts';
import { eventually } from '../support/eventually.ts';
import { type Site, scenario } from './fault-site.ts';
import { newKey, type PostedChunk, postChunk } from './post-chunk.ts';
import { newestSegment, quarantined, spoolLines } from './spool-files.ts';

const MIB = 1024 ** 2;
/** What a collector may grow to; it needs about 150 MiB for itself. */
const PEAK_MIB_MAX = 700;

interface Attack extends PostedChunk {
  readonly name: string;
  /** Answers that are right. */
  readonly status: readonly number[];
}

const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
const fields = JSON.stringify(
  Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`field_${at}`, at])),
);
const polluting = JSON.stringify(processStart()).replace('{', '{"__proto__":{"polluted":1},');

function attacks(): Attack[] {
  const raw = ndjsonLines([processStart()]);
  const bomb = gzipSync(Buffer.alloc(200 * MIB), { level: 9 });
  const line = Buffer.concat([Buffer.alloc(100 * MIB, 'x'), Buffer.from('\n')]);
  const zipped = (bytes: Buffer) => ({ raw: bytes, body: gzipSync(bytes, { level: 1 }) });
  return [
    { name: 'gzip bomb', status: [413, 503], raw, body: bomb },
    { name: 'gzip in gzip', status: [422, 400], raw, body: gzipSync(gzipSync(raw)) },
    { name: 'line of 100 MB', status: [413, 503], ...zipped(line) },
    { name: 'JSON 10,000 deep', status: [422], ...zipped(ndjsonLines([deep])) },
    { name: '10,000 fields', status: [422], ...zipped(ndjsonLines([fields])) },
    { name: '__proto__', status: [422], ...zipped(ndjsonLines([polluting])) },
    { name: 'lines that lie', status: [400], ...zipped(raw), lines: 7 },
  ];
}

/** A length that is never reached: the collector must not wait for ever, nor keep what came. */
function lieAboutLength(site: Site): () => void {
  const { caFile, port } = site.installation;
  const socket = connect({ port, host: 'localhost', ca: readFileSync(caFile) }, () => {
    socket.write(
      `POST ${CHUNKS_PATH} HTTP/1.1\r\nHost: localhost\r\nAuthorization: ApiKey x\r\nContent-Length: 5000000\r\n\r\nabc`,
    );
  });
  socket.on('error', () => undefined);
  return () => socket.destroy();
}

scenario(
  35,
  'bombs, lies and documents that are too much, from outside and in the spool',
  async (site) => {
    const { installation } = site;
    const key = await newKey(installation);
    // The honest agent's own spool: broken lines that look whole must not stop what is behind them.
    site.wire.cut();
    await eventually(() => spoolLines(installation.spool) >= 60, { timeoutMs: 30_000 });
    await site.agent.stop('SIGKILL');
    appendFileSync(newestSegment(installation.spool), `${deep}\n{"x":"${'y'.repeat(3 * MIB)}"}\n`);
    site.wire.resume();
    site.agent = site.startAgent();
    const liars = Array.from({ length: 20 }, () => lieAboutLength(site));
    for (const attack of attacks()) {
      const { status } = await postChunk(installation, key, attack);
      assert.ok(attack.status.includes(status), `${attack.name} was answered ${status}`);
      site.injected();
    }
    await eventually(() => {
      const kept = quarantined(installation.spool);
      assert.match(kept, /deeper than 32 levels/);
      assert.match(kept, /line has \d+ bytes, a collector takes/);
    });
    for (const end of liars) end();
    const peak = usageWhereKnown(site.collector.pid)?.peakRssMiB ?? 0;
    assert.ok(peak < PEAK_MIB_MAX, `the collector grew to ${peak} MiB`);
    assert.equal((await installation.get('/healthz')).status, 200);
  },
);
