/** try */
import { mkdtempSync, rmSync } from 'node:fs';
import { startPostgres } from '../tests/support/postgres.ts';
import { startRound } from './collector/installation.ts';
import { prepareLoad } from './collector/run-load.ts';

const folder = mkdtempSync('/tmp/fleet/b-');
const pg = await startPostgres();
const agents = Number(process.argv[2]),
  eventsEach = Number(process.argv[3]);
const admit = JSON.parse(process.argv[4] ?? '{}');
try {
  const round = await startRound({ folder, postgresUrl: pg.url, collector: { admit } });
  const { url, caFile } = round.installation;
  const load = await prepareLoad({
    url,
    caFile,
    namespace: round.namespace,
    atOnce: agents,
    eventsEach,
    agents: await round.agents(agents),
  });
  console.log('rss before', round.usage().rssMiB);
  const timer = setInterval(async () => {
    try {
      const { text } = await round.installation.get('/metrics');
      const m = (n: string) =>
        Math.round(Number(new RegExp(`^${n} (\\S+)$`, 'm').exec(text)?.[1] ?? NaN) / 1048576);
      console.log(
        JSON.stringify({
          rss: Math.round(round.usage().rssMiB),
          heapTotal: m('nodejs_heap_size_total_bytes'),
          heapUsed: m('nodejs_heap_size_used_bytes'),
          external: m('nodejs_external_memory_bytes'),
          inflight: m('launchbeat_collector_in_flight_bytes'),
        }),
      );
    } catch {}
  }, 2000);
  const r = await load.run();
  clearInterval(timer);
  console.log(
    JSON.stringify({
      seconds: r.seconds,
      waits: r.waits,
      first: r.firstDoneSeconds,
      peak: round.usage().peakRssMiB,
    }),
  );
  await round.stop();
} finally {
  await pg.stop();
  rmSync(folder, { recursive: true, force: true });
}
