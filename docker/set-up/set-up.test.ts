/**
 * Goal: the set-up can run at every `up`: it makes what is missing, leaves what is right, and takes over what was changed.
 * Method: a real PostgreSQL with a role and a database of the test's own; real certificates in a temporary folder. The users of
 * Elasticsearch need its full distribution, so a small server looks at the requests instead.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { openDatabase, type Sql } from '../../collector/src/commit/database.ts';
import { migrate } from '../../collector/src/commit/migrate.ts';
import { testDatabase } from '../../tests/support/postgres.ts';
import { temporaryFolder } from '../../tests/support/temporary-folder.ts';
import { type CertificateSettings, ensureCertificates } from './certificates.ts';
import { COLLECTOR_ROLE, ensureElasticsearchUsers } from './elasticsearch.ts';
import { ensureDatabase } from './postgresql.ts';

const NOW = new Date();
const DAY_MS = 86_400_000;

function certificateSettings(t: TestContext, hosts: readonly string[]): CertificateSettings {
  const root = temporaryFolder(t);
  const folder = join(root, 'certificates');
  mkdirSync(folder);
  return { authorityFolder: join(root, 'authority'), folder, hosts };
}

const serverCertificate = (settings: CertificateSettings): X509Certificate =>
  new X509Certificate(readFileSync(join(settings.folder, 'server.crt')));

test("ensureCertificates() gives the collector all but the CA's key, its own key for the owner only", async (t) => {
  const settings = certificateSettings(t, ['collector.example.org', '192.0.2.7']);
  assert.match(
    await ensureCertificates(settings, NOW),
    /^made, since there were none.*[0-9a-f]{64}$/,
  );
  assert.deepEqual(readdirSync(settings.folder).sort(), ['ca.crt', 'server.crt', 'server.key']);
  assert.equal(statSync(join(settings.folder, 'server.key')).mode & 0o077, 0);
  const authority = new X509Certificate(readFileSync(join(settings.folder, 'ca.crt')));
  assert.ok(serverCertificate(settings).verify(authority.publicKey));
});

test('ensureCertificates() leaves certificates that fit as they are', async (t) => {
  const settings = certificateSettings(t, ['collector.example.org', '*.example.net', '192.0.2.7']);
  await ensureCertificates(settings, NOW);
  const before = serverCertificate(settings).serialNumber;
  assert.match(await ensureCertificates(settings, NOW), /^left as they are/);
  assert.equal(serverCertificate(settings).serialNumber, before);
});

test('ensureCertificates() renews by the same CA when a name is missing or the end is near', async (t) => {
  const settings = certificateSettings(t, ['old.example.org']);
  const first = await ensureCertificates(settings, NOW);
  const changed = { ...settings, hosts: ['old.example.org', 'new.example.org'] };
  const second = await ensureCertificates(changed, NOW);
  assert.match(second, /^made, since new\.example\.org was not in them/);
  assert.equal(serverCertificate(settings).checkHost('new.example.org'), 'new.example.org');
  const late = new Date(NOW.getTime() + 360 * DAY_MS);
  const third = await ensureCertificates(changed, late);
  assert.match(third, /^made, since they would have ended/);
  const fingerprints = [first, second, third].map((line) => line.slice(-64));
  assert.equal(new Set(fingerprints).size, 1);
});

/** A name for role and database that no other test has; both go with the test. */
async function ownName(t: TestContext): Promise<{ name: string; url: string; admin: Sql }> {
  const { url, drop } = await testDatabase();
  const name = `setup_${randomBytes(6).toString('hex')}`;
  const admin = openDatabase({ url, connections_max: 2 });
  t.after(async () => {
    await admin`drop database if exists ${admin(name)} with (force)`;
    await admin`drop role if exists ${admin(name)}`;
    await admin.end();
    await drop();
  });
  return { name, url, admin };
}

/** The collector's own connection, as docker/collector.yml has it. */
async function asCollector<T>(
  superuserUrl: string,
  name: string,
  password: string,
  use: (sql: Sql) => Promise<T>,
): Promise<T> {
  const url = new URL(superuserUrl);
  Object.assign(url, { username: name, password, pathname: `/${name}` });
  const sql = openDatabase({ url: url.href, connections_max: 2 });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

test('ensureDatabase() makes a role that can migrate its own database and do nothing else', async (t) => {
  const { name, url } = await ownName(t);
  const made = await ensureDatabase({ superuserUrl: url, password: 'first0password', name });
  assert.match(made, /made/);
  await asCollector(url, name, 'first0password', async (sql) => {
    assert.notDeepEqual(await migrate(sql), []);
    const [role] = await sql`
      select rolsuper or rolcreatedb or rolcreaterole or rolreplication or rolbypassrls as mighty
      from pg_roles where rolname = current_user`;
    assert.equal(role?.['mighty'], false);
    await assert.rejects(sql`create database ${sql(`${name}_more`)}`, /permission denied/);
  });
});

test('ensureDatabase() run again keeps the tables and takes over a new password', async (t) => {
  const { name, url, admin } = await ownName(t);
  await ensureDatabase({ superuserUrl: url, password: 'first0password', name });
  await asCollector(url, name, 'first0password', async (sql) => sql`create table kept ()`);
  const again = await ensureDatabase({ superuserUrl: url, password: "it's new", name });
  assert.match(again, /is there/);
  await asCollector(url, name, "it's new", async (sql) => sql`select from kept`);
  const [verifier] = await admin`select rolpassword from pg_authid where rolname = ${name}`;
  assert.match(String(verifier?.['rolpassword']), /^SCRAM-SHA-256\$/);
});

test('ensureDatabase() hands over a database that somebody else made', async (t) => {
  const { name, url, admin } = await ownName(t);
  await admin`create database ${admin(name)}`;
  await ensureDatabase({ superuserUrl: url, password: 'first0password', name });
  await asCollector(url, name, 'first0password', async (sql) => sql`create table mine ()`);
});

test('ensureDatabase() lets nobody else connect to the database', async (t) => {
  const { name, url, admin } = await ownName(t);
  await ensureDatabase({ superuserUrl: url, password: 'first0password', name });
  const other = `${name}_other`;
  await admin`create role ${admin(other)}`;
  const [may] = await admin`select has_database_privilege(${other}, ${name}, 'connect') as may`;
  await admin`drop role ${admin(other)}`;
  assert.equal(may?.['may'], false);
});

test('ensureDatabase() says what to do when the superuser is refused, without a password', async (t) => {
  const { name, url } = await ownName(t);
  const wrong = new URL(url);
  wrong.password = 'not0the0password';
  await assert.rejects(
    ensureDatabase({ superuserUrl: wrong.href, password: 'first0password', name }),
    (error: Error) =>
      /POSTGRES_PASSWORD counts at the first start only/.test(error.message) &&
      !/not0the0password|first0password/.test(error.message),
  );
});

async function listen(t: TestContext, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

interface Seen {
  readonly call: string;
  readonly authorization: string | undefined;
  readonly body: unknown;
}

/** Looks at requests and answers what `statuses` says, then 200. */
async function security(
  t: TestContext,
  statuses: number[],
): Promise<{ url: string; seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    const { authorization } = request.headers;
    const call = `${request.method} ${request.url}`;
    text(request)
      .then((body) => seen.push({ call, authorization, body: JSON.parse(body) as unknown }))
      .then(() => response.writeHead(statuses.shift() ?? 200).end('{}'))
      .catch((error: Error) => response.destroy(error));
  });
  return { url: `http://127.0.0.1:${await listen(t, server)}`, seen };
}

const PASSWORDS = {
  superuserPassword: 'elastic0password',
  kibanaPassword: 'kibana0password',
  collectorPassword: 'collector0password',
  retryDelayMs: 1,
};

test("ensureElasticsearchUsers() sets Kibana's password, the role and the user, as the superuser", async (t) => {
  const { url, seen } = await security(t, []);
  await ensureElasticsearchUsers({ url, ...PASSWORDS });
  const authorization = `Basic ${btoa('elastic:elastic0password')}`;
  assert.deepEqual(seen, [
    {
      call: 'POST /_security/user/kibana_system/_password',
      authorization,
      body: { password: 'kibana0password' },
    },
    { call: 'PUT /_security/role/launchbeat_collector', authorization, body: COLLECTOR_ROLE },
    {
      call: 'PUT /_security/user/launchbeat_collector',
      authorization,
      body: {
        password: 'collector0password',
        roles: ['launchbeat_collector'],
        full_name: 'Launchbeat collector',
      },
    },
  ]);
});

test('ensureElasticsearchUsers() waits while the cluster answers 503', async (t) => {
  const { url, seen } = await security(t, [503]);
  await ensureElasticsearchUsers({ url, ...PASSWORDS });
  assert.equal(seen.length, 4);
});

test('ensureElasticsearchUsers() gives up at once on 401 and 400, without a password', async (t) => {
  for (const [status, says] of [
    [401, /ELASTIC_PASSWORD counts at the first start only/],
    [400, /POST \/_security\/user\/kibana_system\/_password: answered 400/],
  ] as const) {
    const { url, seen } = await security(t, [status]);
    await assert.rejects(ensureElasticsearchUsers({ url, ...PASSWORDS }), (error: Error) => {
      assert.match(error.message, says);
      assert.doesNotMatch(error.message, /0password/);
      return true;
    });
    assert.equal(seen.length, 1);
  }
});

const run = promisify(execFile);
const CHECK = join(import.meta.dirname, '../check-health.ts');

test('check-health.ts is content with 200 over https only', async (t) => {
  const settings = certificateSettings(t, ['collector.example.org']);
  await ensureCertificates(settings, NOW);
  const pem = (name: string): Buffer => readFileSync(join(settings.folder, name));
  const server = createSecureServer(
    { cert: pem('server.crt'), key: pem('server.key') },
    (request, response) => response.writeHead(request.url === '/healthz' ? 200 : 503).end(),
  );
  const url = `https://127.0.0.1:${await listen(t, server)}`;
  await run(process.execPath, [CHECK, `${url}/healthz`]);
  const wrong = (path: string) => run(process.execPath, [CHECK, path]);
  await assert.rejects(wrong(`${url}/readyz`), /answered 503/);
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
  await assert.rejects(wrong(`${url}/healthz`), /ECONNREFUSED/);
});
