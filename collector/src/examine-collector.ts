/**
 * Takes the config, gives what `launchbeat-collector doctor` shows: the collector itself, PostgreSQL, Elasticsearch, Telegram.
 * Keeps: it changes nothing but a file that it makes and deletes in the log folder; it may run beside a living collector.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request as requestPlain } from 'node:http';
import { request as requestTls } from 'node:https';
import { join } from 'node:path';
import { resolveFile, SILENT_LOG } from '@launchbeat/ecs-schemas/beat';
import { openDatabase } from './commit/database.ts';
import type { CollectorConfig, LoadedCollector } from './config.ts';
import { examinePostgresql, type Finding } from './examine-postgresql.ts';
import { createIndexer } from './index/create-indexer.ts';
import { createNotifier } from './notify/create-notifier.ts';

const DAY_MS = 86_400_000;
/** Fewer days than these are worth a word: time enough to renew. */
const DAYS_SOON = 14;
const TIMEOUT_MS = 5000;
const log = SILENT_LOG;

/** Looks at everything, at the collector itself first. Never rejects. */
export async function* examineCollector(loaded: LoadedCollector): AsyncGenerator<Finding> {
  const { config, alerts, paths } = loaded;
  yield folder('log folder', paths.logs);
  yield certificate(config, paths.config);
  yield await itself(config);
  const sql = openDatabase({ ...config.postgresql, connections_max: 2 });
  const indexer = createIndexer({ sql, config: config.elasticsearch, log });
  const notifier = createNotifier({ sql, config: config.telegram, alerts, log });
  try {
    yield* examinePostgresql(sql, config);
    yield answered('elasticsearch', await indexer.check(), MEND_ELASTICSEARCH);
    yield answered('telegram', await notifier.check(), MEND_TELEGRAM);
  } finally {
    await indexer.close();
    await sql.end({ timeout: 1 });
  }
}

const MEND_ELASTICSEARCH =
  'See elasticsearch.hosts, its credentials and ssl, and what is said here. Chunks wait in PostgreSQL meanwhile.';
const MEND_TELEGRAM =
  'See telegram.token, telegram.api_root and the firewall. Messages wait in PostgreSQL meanwhile.';

function answered(
  check: string,
  { ok, detail }: { readonly ok: boolean; readonly detail: string },
  mend: string,
): Finding {
  return ok ? { check, state: 'ok', detail } : { check, state: 'fail', detail, mend };
}

function folder(check: string, path: string): Finding {
  const file = join(path, `.doctor-${process.pid}`);
  try {
    mkdirSync(path, { recursive: true });
    writeFileSync(file, 'x');
    rmSync(file);
    return { check, state: 'ok', detail: `${path} can be written` };
  } catch (error) {
    const detail = `${path} cannot be written (${codeOf(error)})`;
    const mend = 'Give the account of the collector the right to, or set path.logs.';
    return { check, state: 'fail', detail, mend };
  }
}

function certificate({ http }: CollectorConfig, configFolder: string): Finding {
  const check = 'certificate';
  const { enabled, certificate: file, key } = http.tls;
  if (!enabled || file === undefined || key === undefined) {
    const detail = 'none: plain HTTP, for loopback or a proxy that speaks TLS';
    return { check, state: 'ok', detail };
  }
  const renew = 'Renew it: launchbeat-collector certs init --force, or your own CA.';
  try {
    const own = new X509Certificate(readFileSync(resolveFile(configFolder, file)));
    const subject = own.subject.replaceAll('\n', ', ');
    if (!own.checkPrivateKey(createPrivateKey(readFileSync(resolveFile(configFolder, key))))) {
      const mend = 'Name the key that belongs to the certificate in http.tls.key.';
      return { check, state: 'fail', detail: `${subject}: the key is another one's`, mend };
    }
    const days = Math.floor((own.validToDate.getTime() - Date.now()) / DAY_MS);
    if (days < 0) {
      const detail = `${subject}: expired ${-days} days ago`;
      return { check, state: 'fail', detail, mend: renew };
    }
    const detail = `${subject}: ${days} days left`;
    if (days < DAYS_SOON) return { check, state: 'warn', detail, mend: renew };
    return { check, state: 'ok', detail };
  } catch (error) {
    const detail = `${file} and ${key}: ${codeOf(error)}`;
    const mend = 'Put the PEM files there, or change http.tls.';
    return { check, state: 'fail', detail, mend };
  }
}

/** Whether a collector answers where this config says that it listens. */
async function itself({ http }: CollectorConfig): Promise<Finding> {
  const check = 'collector';
  const isTls = http.tls.enabled && http.tls.certificate !== undefined;
  const host = /^(0\.0\.0\.0|::)$/.test(http.host) ? 'localhost' : http.host;
  const place = `${isTls ? 'https' : 'http'}://${host}:${http.port}`;
  try {
    const { status, text } = await get(`${place}/readyz`, isTls);
    if (status === 200) return { check, state: 'ok', detail: `runs at ${place}, ready` };
    if (status === 503) {
      const mend = 'See the rows of PostgreSQL.';
      return { check, state: 'fail', detail: `runs at ${place}, not ready: ${text}`, mend };
    }
    const detail = `${place} answers ${status}: no collector`;
    const mend = 'Another program has the port: change http.port, or end that program.';
    return { check, state: 'fail', detail, mend };
  } catch (error) {
    const detail = `does not run at ${place} (${codeOf(error)})`;
    return { check, state: 'warn', detail, mend: 'Start it: launchbeat-collector run.' };
  }
}

function get(url: string, isTls: boolean): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    // Only asked whether it is there: the certificate has a row of its own.
    const options = { agent: false, timeout: TIMEOUT_MS } as const;
    const asked = isTls
      ? requestTls(url, { ...options, rejectUnauthorized: false })
      : requestPlain(url, options);
    asked.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text = (text + part).slice(0, 500);
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', reject);
    });
    asked.on('timeout', () => asked.destroy(new Error('no answer')));
    asked.on('error', reject);
    asked.end();
  });
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? (error as Error).message;
}
