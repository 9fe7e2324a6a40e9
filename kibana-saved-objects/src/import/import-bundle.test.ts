/**
 * Goal: the dashboards get into any Kibana from 8.11 to 9.x, and what stands in the way is told plainly. Method: the import against a
 * strict stand-in of Kibana's API, over HTTP. No Kibana takes part.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { initCertificates } from '../../../collector/src/certificates/init-certificates.ts';
import {
  type StandIn,
  type StandInOptions,
  startKibanaStandIn,
} from '../../../tests/support/kibana.ts';
import { bundleObjects, bundleText } from '../bundle.ts';
import { type ImportOptions, importBundle } from './import-bundle.ts';
import type { KibanaAddress } from './kibana-request.ts';

const TEXT = bundleText('en');
const OBJECTS = bundleObjects('en').length;

async function standIn(t: TestContext, options: Partial<StandInOptions> = {}): Promise<StandIn> {
  const kibana = await startKibanaStandIn({ version: '9.1.5', ...options });
  t.after(() => kibana.close());
  return kibana;
}

const options = (
  url: string,
  over: Partial<ImportOptions> = {},
  kibana: Partial<KibanaAddress> = {},
): ImportOptions => ({
  kibana: { url, credentials: { kind: 'none' }, timeoutMs: 10_000, ...kibana },
  overwrite: true,
  retry: { waitMs: 5000, delayMs: 1, delayMaxMs: 4 },
  ...over,
});

const reasonOf = (outcome: Awaited<ReturnType<typeof importBundle>>): string => {
  assert.equal(outcome.outcome, 'refused');
  return outcome.outcome === 'refused' ? outcome.reason : '';
};

for (const version of [
  '8.11.0',
  '8.12.2',
  '8.15.3',
  '8.17.0',
  '8.19.16',
  '9.0.1',
  '9.1.5',
  '9.4.3',
  '9.5.2',
]) {
  test(`importBundle() brings both languages into ${version}, side by side`, async (t) => {
    const kibana = await standIn(t, { version });
    for (const language of ['en', 'ru'] as const) {
      const outcome = await importBundle(bundleText(language), options(kibana.url));
      assert.deepEqual(outcome, { outcome: 'done', imported: OBJECTS, renamed: 0, version });
    }
    assert.equal(kibana.objects('default').size, 2 * OBJECTS);
  });
}

for (const version of ['7.17.9', '8.10.4', '10.0.0']) {
  test(`importBundle() leaves ${version} alone`, async (t) => {
    const kibana = await standIn(t, { version });
    assert.match(
      reasonOf(await importBundle(TEXT, options(kibana.url))),
      new RegExp(`Kibana ${version} is`),
    );
    assert.deepEqual(kibana.requests, ['GET /api/status']);
  });
}

test('importBundle() waits while Kibana starts, and sends again what met a 503', async (t) => {
  const kibana = await standIn(t, { first: [503, 503, 502, 0, 503] });
  const outcome = await importBundle(TEXT, options(kibana.url));
  assert.equal(outcome.outcome, 'done');
  const [status, sent] = ['GET /api/status', 'POST /api/saved_objects/_import'];
  assert.deepEqual(kibana.requests, [status, status, status, status, sent, sent]);
});

test('importBundle() stops waiting in time and says for what', async (t) => {
  const kibana = await standIn(t, { first: Array.from({ length: 1000 }, () => 503) });
  const over = { retry: { waitMs: 20, delayMs: 5, delayMaxMs: 5 } };
  assert.match(
    reasonOf(await importBundle(TEXT, options(kibana.url, over))),
    /not ready \(503\)\. Waited/,
  );
  await kibana.close();
  assert.match(
    reasonOf(await importBundle(TEXT, options(kibana.url, over))),
    /does not answer: .*ECONNREFUSED/,
  );
});

test('importBundle() ends when it is told to', async (t) => {
  const kibana = await standIn(t, { first: Array.from({ length: 1000 }, () => 503) });
  const controller = new AbortController();
  const over = { retry: { waitMs: 60_000, delayMs: 60_000, delayMaxMs: 60_000 } };
  const running = importBundle(TEXT, options(kibana.url, over, { signal: controller.signal }));
  setImmediate(() => controller.abort());
  await assert.rejects(running, { name: 'AbortError' });
});

test('importBundle() signs in by API key or password, and says when neither will do', async (t) => {
  const byKey = await standIn(t, { authorization: 'ApiKey aWQ6a2V5' });
  const key = { credentials: { kind: 'api_key', encoded: 'aWQ6a2V5' } } as const;
  assert.equal((await importBundle(TEXT, options(byKey.url, {}, key))).outcome, 'done');

  const basic = `Basic ${Buffer.from('elastic:пароль').toString('base64')}`;
  const byPassword = await standIn(t, { authorization: basic });
  const password = { kind: 'basic', username: 'elastic', password: 'пароль' } as const;
  const good = options(byPassword.url, {}, { credentials: password });
  assert.equal((await importBundle(TEXT, good)).outcome, 'done');
  const wrong = options(
    byPassword.url,
    {},
    { credentials: { ...password, password: 'wrong-secret' } },
  );
  const reason = reasonOf(await importBundle(TEXT, wrong));
  assert.match(reason, /does not know the credentials\. Check/);
  assert.doesNotMatch(reason, /wrong-secret/);
  assert.match(reasonOf(await importBundle(TEXT, options(byKey.url))), /wants credentials/);
  assert.deepEqual(byKey.requests.slice(-1), ['GET /api/status']);

  const guarded = await standIn(t, { authorization: basic, guarded: true });
  const behind = options(guarded.url, {}, { credentials: { ...password, password: 'wrong' } });
  assert.match(reasonOf(await importBundle(TEXT, behind)), /does not know the credentials \(401\)/);

  const readOnly = await standIn(t, { readOnly: true });
  assert.match(
    reasonOf(await importBundle(TEXT, options(readOnly.url))),
    /lack rights \(403\).*Saved Objects/,
  );
});

test('importBundle() trusts the given certificate authority and no other', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'launchbeat-import-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const made = await initCertificates({ folder, hosts: ['127.0.0.1'] });
  const [ca = '', , cert = '', key = ''] = made.files.map((file) => readFileSync(file, 'utf8'));
  const kibana = await standIn(t, { tls: { key, cert } });
  const trusted = options(kibana.url, {}, { certificateAuthorities: [ca] });
  assert.equal((await importBundle(TEXT, trusted)).outcome, 'done');
  const over = { retry: { waitMs: 10, delayMs: 5, delayMaxMs: 5 } };
  assert.match(reasonOf(await importBundle(TEXT, options(kibana.url, over))), /certificate/i);
});

test('importBundle() goes into a space under a base path, and says when there is none', async (t) => {
  const kibana = await standIn(t, { basePath: '/kibana', spaces: ['soc'] });
  const outcome = await importBundle(TEXT, options(`${kibana.url}/`, { space: 'soc' }));
  assert.equal(outcome.outcome, 'done');
  assert.equal(kibana.objects('soc').size, OBJECTS);
  assert.equal(kibana.objects('default').size, 0);
  assert.match(
    reasonOf(await importBundle(TEXT, options(kibana.url, { space: 'none' }))),
    /no space "none" in this Kibana/,
  );
  // Kibana itself would have taken them, into a space that nobody can open.
  assert.equal(kibana.objects('none').size, 0);
  assert.match(
    reasonOf(await importBundle(TEXT, options(kibana.url, { space: '../x' }))),
    /no id of a space/,
  );
});

test('importBundle() tells how many objects got new ids, since another space has them', async (t) => {
  const kibana = await standIn(t, { spaces: ['soc', 'audit'] });
  const into = async (space: string, overwrite = true) =>
    await importBundle(TEXT, options(kibana.url, { space, overwrite }));
  const version = '9.1.5';
  assert.deepEqual(await into('soc'), { outcome: 'done', imported: OBJECTS, renamed: 0, version });
  // All but the tag, of which each space has its own.
  const renamed = { outcome: 'done', imported: OBJECTS, renamed: OBJECTS - 1, version };
  assert.deepEqual(await into('audit'), renamed);
  assert.deepEqual(await into('audit'), renamed, 'again: the same objects, not a second set');
  assert.equal(kibana.objects('audit').size, OBJECTS);
  assert.equal((await into('audit', false)).outcome, 'refused');
});

test('importBundle() replaces with overwrite, and tells each conflict without', async (t) => {
  const kibana = await standIn(t);
  assert.equal((await importBundle(TEXT, options(kibana.url))).outcome, 'done');
  assert.equal((await importBundle(TEXT, options(kibana.url))).outcome, 'done');
  const kept = await importBundle(TEXT, options(kibana.url, { overwrite: false }));
  assert.equal(kept.outcome, 'refused');
  assert.ok(kept.outcome === 'refused');
  assert.equal(kept.reason, `Kibana took 0 of ${OBJECTS} objects`);
  assert.equal(kept.faults.length, OBJECTS);
  assert.match(kept.faults[0]?.reason ?? '', /is there already/);
});

test('importBundle() tells what Kibana did not take, object by object', async (t) => {
  const kibana = await standIn(t, { unknownTypes: ['tag'] });
  const withoutDataView = TEXT.split('\n').slice(1).join('\n');
  const outcome = await importBundle(withoutDataView, options(kibana.url));
  assert.ok(outcome.outcome === 'refused');
  const byType = new Map(outcome.faults.map((fault) => [fault.type, fault.reason]));
  assert.equal(byType.get('tag'), 'is of a type that this Kibana does not know');
  assert.match(byType.get('dashboard') ?? '', /needs index-pattern launchbeat-process-starts/);
  assert.ok(outcome.faults.every(({ title }) => title.startsWith('title of')));
});

test('importBundle() tells why Kibana refused the whole file', async (t) => {
  const kibana = await standIn(t, { version: '8.11.0' });
  const newer = TEXT.replaceAll(
    '"typeMigrationVersion":"8.9.0"',
    '"typeMigrationVersion":"10.2.0"',
  );
  assert.match(
    reasonOf(await importBundle(newer, options(kibana.url))),
    /422.*more recent version of Kibana \[10\.2\.0\]/,
  );
  const line = TEXT.slice(0, TEXT.indexOf('\n') + 1);
  assert.match(
    reasonOf(await importBundle(line + TEXT, options(kibana.url))),
    /400.*Non-unique import objects/,
  );
});

test('importBundle() is not fooled by a server that is no Kibana', async (t) => {
  const kibana = await standIn(t, { basePath: '/kibana' });
  const wrongPath = kibana.url.replace('/kibana', '');
  assert.match(
    reasonOf(await importBundle(TEXT, options(wrongPath))),
    /\(404\)\. Check the URL with its base path/,
  );
});
