/**
 * A private Elasticsearch that behaves as one of a company does: it knows users and their rights, takes no large request, and turns away
 * what is over a small bound. Gives two users: the test's own, who may do everything, and the collector, whose rights change.
 */
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ElasticsearchServer, startElasticsearch } from '../support/elasticsearch.ts';
import { eventually } from '../support/eventually.ts';
import { passingFolder } from '../support/passing-folder.ts';

const ROUNDS = 10_000;
const HASH_BYTES = 32;
const RIGHTS_TIMEOUT_MS = 60_000;

export interface SecuredElasticsearch {
  readonly server: ElasticsearchServer;
  /** Of the test, who may do everything. */
  readonly admin: Credentials;
  readonly collector: Credentials;
  /** Gives the collector a role, or (undefined) takes it away; resolves when it is in force. */
  allow(role: object | undefined): Promise<void>;
  /** Asks as the admin. */
  ask(method: string, path: string, body?: unknown): Promise<Response>;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

/** Larger requests are answered 413. */
export const REQUEST_BYTES_MAX = 400 * 1024;
/** So many bytes of requests at once; what is over is answered 429. */
const PRESSURE_BYTES_MAX = 150 * 1024;

/** Starts it; the caller stops `server`. */
export async function startSecuredElasticsearch(): Promise<SecuredElasticsearch> {
  const folder = passingFolder('secured-elasticsearch');
  const server = await startElasticsearch({
    private: true,
    dataFolder: folder,
    settings: {
      'xpack.security.enabled': true,
      'xpack.security.http.ssl.enabled': false,
      'xpack.security.transport.ssl.enabled': false,
      'xpack.security.authc.password_hashing.algorithm': 'pbkdf2',
      // Whoever waits for its start may ask how it is. (Every user has the rights of this role too.)
      'xpack.security.authc.anonymous.roles': 'remote_monitoring_collector',
      'http.max_content_length': `${REQUEST_BYTES_MAX}b`,
      'indexing_pressure.memory.limit': `${PRESSURE_BYTES_MAX}b`,
      'resource.reload.interval.high': '500ms',
    },
  });
  const admin = { username: 'admin', password: randomBytes(9).toString('hex') };
  const collector = { username: 'collector', password: randomBytes(9).toString('hex') };
  const write = (name: string, text: string): void =>
    writeFileSync(join(folder, 'config', name), text);
  /** Resolves when the cluster has seen the files. */
  const allow = async (role: object | undefined): Promise<void> => {
    const users = role === undefined ? [admin] : [admin, collector];
    // roles.yml is YAML, and so takes JSON.
    write('roles.yml', JSON.stringify(role === undefined ? {} : { for_test: role }));
    write(
      'users_roles',
      `superuser:${admin.username}\n${role === undefined ? '' : `for_test:${collector.username}\n`}`,
    );
    write('users', users.map((one) => `${one.username}:${hashOf(one.password)}\n`).join(''));
    await eventually(
      async () => {
        const status = await signIn(server.url, collector);
        if ((await signIn(server.url, admin)) !== 200) return false;
        if (role === undefined) return status === 401;
        return status === 200 && (await hasRights(server.url, collector, JSON.stringify(role)));
      },
      { timeoutMs: RIGHTS_TIMEOUT_MS, intervalMs: 100 },
    );
  };
  await allow(undefined);
  return {
    server,
    admin,
    collector,
    allow,
    async ask(method, path, body) {
      return await fetch(`${server.url}${path}`, {
        method,
        headers: { ...signedIn(admin), 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    },
  };
}

const signedIn = ({ username, password }: Credentials): { authorization: string } => ({
  authorization: `Basic ${btoa(`${username}:${password}`)}`,
});

async function signIn(url: string, who: Credentials): Promise<number> {
  return (await fetch(`${url}/_security/_authenticate`, { headers: signedIn(who) })).status;
}

/** Whether the user has the index privileges of the role, and not create_doc if the role lacks it. */
async function hasRights(url: string, who: Credentials, role: string): Promise<boolean> {
  const name = 'logs-system.security_launchbeat-any';
  const answer = await fetch(`${url}/_security/user/_has_privileges`, {
    method: 'POST',
    headers: { ...signedIn(who), 'content-type': 'application/json' },
    body: JSON.stringify({ index: [{ names: [name], privileges: ['create_doc'] }] }),
  });
  const { has_all_requested: may } = (await answer.json()) as { has_all_requested?: boolean };
  return may === role.includes('create_doc');
}

/** As Elasticsearch writes it: {PBKDF2}rounds$salt$hash. */
function hashOf(password: string): string {
  const salt = randomBytes(HASH_BYTES);
  const hash = pbkdf2Sync(password, salt, ROUNDS, HASH_BYTES, 'sha512');
  return `{PBKDF2}${ROUNDS}$${salt.toString('base64')}$${hash.toString('base64')}`;
}
