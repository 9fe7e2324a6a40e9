/** Goal: SIGHUP puts in force what it says and nothing else. Method: the real program on real PostgreSQL; its files change under it. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { eventually } from '../../tests/support/eventually.ts';
import { installLaunchbeat } from '../../tests/support/launchbeat.ts';
import { testDatabase } from '../../tests/support/postgres.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { collectorConfigSchema } from './config.ts';
import { configChanges } from './reload-config.ts';

test('configChanges() parts what takes effect at once from what needs a restart, by name', () => {
  const config = (more: object) =>
    collectorConfigSchema.parse({ postgresql: { url: 'postgres://localhost/a' }, ...more });
  const changes = configChanges(
    config({}),
    config({
      ...{ admit: { body_timeout: '5s' }, fleet: { facts: { retention: '1d' } } },
      http: { port: 1, trusted_proxies: ['10.0.0.0/8'] },
      ...{ logging: { level: 'debug' }, elasticsearch: { retention: '90d' } },
    }),
  );
  assert.deepEqual(changes, {
    live: ['admit.body_timeout', 'fleet.facts.retention', 'http.trusted_proxies', 'logging.level'],
    restart: ['elasticsearch.retention', 'http.port'],
  });
});

test('SIGHUP: good files are put in force and told, broken ones change nothing, the process goes on', async (t) => {
  const { url } = await testDatabase(t);
  const folder = temporaryFolder(t);
  const installation = await installLaunchbeat({
    ...{ folder, postgresUrl: url, namespace: 'default' },
  });
  const file = join(folder, 'collector.yml');
  const good = parse(readFileSync(file, 'utf8'));
  const collector = await installation.startCollector();
  t.after(() => collector.stop());
  const said = (): string => collector.stderr();
  const wrongKey = async (): Promise<number> => (await installation.get('/v1/whoami')).status;

  writeFileSync(file, stringify({ ...good, admit: { failed_keys_per_minute: 'many' } }));
  collector.signal('SIGHUP');
  await collector.waitForLine(/Config has a mistake.*admit\.failed_keys_per_minute/);
  assert.deepEqual([await wrongKey(), await wrongKey()], [401, 401]);

  const http = { ...good.http, stop_timeout: '7s' };
  writeFileSync(file, stringify({ ...good, http, admit: { failed_keys_per_minute: 3 } }));
  collector.signal('SIGHUP');
  await collector.waitForLine(/Now in force: admit\.failed_keys_per_minute\./);
  await collector.waitForLine(/after a restart only: http\.stop_timeout\./);
  assert.deepEqual([await wrongKey(), await wrongKey()], [401, 429]);

  assert.doesNotMatch(said(), /"log\.level":"debug"/);
  writeFileSync(file, stringify({ ...good, logging: { level: 'debug' } }));
  const before = readFileSync(join(folder, 'certs', 'server.crt'), 'utf8');
  const renewed = await installation.collector(
    ...['certs', 'init', '--force', '--host', 'localhost', '--out', join(folder, 'certs')],
  );
  assert.equal(renewed.code, 0, renewed.stderr);
  assert.notEqual(readFileSync(join(folder, 'certs', 'server.crt'), 'utf8'), before);
  collector.signal('SIGHUP');
  await collector.waitForLine(/Now in force: admit\.failed_keys_per_minute, logging\.level\./);
  await collector.waitForLine(/Took up the renewed certificate/);

  writeFileSync(join(folder, 'alerts.yml'), 'chats: [');
  collector.signal('SIGHUP');
  await eventually(() => assert.equal(said().match(/Config has a mistake/g)?.length, 2));
  assert.equal((await installation.get('/readyz')).status, 200);
  assert.equal((await collector.stop()).code, 0);
});
