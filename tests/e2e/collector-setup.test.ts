/**
 * Goal: `setup` makes what the collector needs, again and again without harm. Method: the real program on an empty database, a real
 * Elasticsearch, and a stand-in of Kibana's import API that refuses what Kibana refuses.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { testElasticsearch } from '../support/elasticsearch.ts';
import { startKibanaStandIn } from '../support/kibana.ts';
import { testDatabase } from '../support/postgres.ts';
import { runProgram } from '../support/processes.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const COLLECTOR = 'collector/src/main.ts';

test('setup makes tables, template and dashboards; a second time it changes nothing', async (t) => {
  const folder = temporaryFolder(t);
  const database = await testDatabase(t);
  const elasticsearch = await testElasticsearch();
  const kibana = await startKibanaStandIn({ version: '9.1.0', spaces: ['soc'], first: [503] });
  t.after(() => kibana.close());
  writeFileSync(
    join(folder, 'collector.yml'),
    stringify({
      postgresql: { url: database.url },
      elasticsearch: { hosts: [elasticsearch.url] },
      kibana: { host: kibana.url, space: 'soc', language: 'ru' },
    }),
  );
  writeFileSync(join(folder, 'alerts.yml'), '');
  const setup = (...more: string[]) =>
    runProgram(process.execPath, [
      ...[COLLECTOR, 'setup', '--dashboards', '--path.config', folder],
      ...more,
    ]);

  const first = await setup();
  assert.equal(first.code, 0, first.stderr);
  assert.match(first.stdout, /^PostgreSQL: /m);
  assert.match(first.stdout, /^Elasticsearch: .*index template logs-system\.security_launchbeat/m);
  assert.match(first.stdout, /^Kibana: \d+ objects are in Kibana 9\.1\.0/m);
  const imported = kibana.objects('soc').size;
  assert.ok(imported > 10, `${imported} objects`);

  const second = await setup();
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout, /PostgreSQL: tables are up to date/);
  assert.match(second.stdout, /Elasticsearch: .* is up to date/);
  assert.equal(kibana.objects('soc').size, imported);

  const third = await setup('--no-overwrite');
  assert.equal(third.code, 1);
  assert.match(third.stderr, new RegExp(`Kibana took 0 of ${imported} objects`));
  assert.match(third.stderr, /dashboard launchbeat-dashboard-alerts-ru ".*": is there already/);
  const inAnother = await setup('-E', 'kibana.space=default');
  assert.equal(inAnother.code, 0, inAnother.stderr);
  assert.match(inAnother.stdout, /Another space of this Kibana has them too, so \d+ got new ids/);
  const nowhere = await setup('-E', 'kibana.space=sco');
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /There is no space "sco" in this Kibana/);
});

test('setup --dashboards that Kibana refuses ends with 1 and says what to mend', async (t) => {
  const folder = temporaryFolder(t);
  const database = await testDatabase(t);
  const kibana = await startKibanaStandIn({ version: '9.1.0', authorization: 'ApiKey right' });
  t.after(() => kibana.close());
  writeFileSync(
    join(folder, 'collector.yml'),
    stringify({
      postgresql: { url: database.url },
      elasticsearch: { enabled: false },
      kibana: { host: kibana.url, api_key: 'wrong:key', wait: '1s' },
    }),
  );
  writeFileSync(join(folder, 'alerts.yml'), '');
  const end = await runProgram(process.execPath, [
    COLLECTOR,
    'setup',
    '--dashboards',
    '--path.config',
    folder,
  ]);
  assert.equal(end.code, 1);
  assert.match(end.stderr, /Kibana does not know the credentials\. Check/);
  assert.doesNotMatch(end.stderr + end.stdout, /wrong:key/);
});

test('export dashboard prints the file that is shipped', async () => {
  for (const [language, file] of [
    ['en', 'launchbeat.ndjson'],
    ['ru', 'launchbeat.ru.ndjson'],
  ] as const) {
    const end = await runProgram(process.execPath, [
      COLLECTOR,
      'export',
      'dashboard',
      '--language',
      language,
    ]);
    // Not assert.equal: a difference would print both files.
    assert.ok(end.stdout === readFileSync(join('kibana-saved-objects', file), 'utf8'), file);
  }
});

test('export detection-rules prints the file that is shipped', async () => {
  const end = await runProgram(process.execPath, [COLLECTOR, 'export', 'detection-rules']);
  assert.ok(end.stdout === readFileSync('kibana-saved-objects/launchbeat-rules.ndjson', 'utf8'));
});
