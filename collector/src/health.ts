/**
 * Answers whether this collector can take chunks.
 * Keeps: ready means PostgreSQL answers and has the program's tables; Elasticsearch is told but does not count, since chunks
 * are taken without it. Strangers may ask: an answer is kept for a moment and names no host, user or error of a store.
 */
import type { Sql } from './commit/database.ts';
import { pendingMigrations } from './commit/migrate.ts';

export interface HealthCheck {
  readonly ok: boolean;
  readonly detail: string;
}

export interface Readiness {
  readonly ready: boolean;
  readonly checks: {
    readonly postgresql: HealthCheck;
    /** Absent where the index is switched off. */
    readonly elasticsearch?: HealthCheck;
  };
}

export interface Health {
  ready(): Promise<Readiness>;
}

export interface HealthOptions {
  readonly sql: Sql;
  /** Absent where the index is switched off. */
  readonly elasticsearch?: (() => Promise<{ readonly ok: boolean }>) | undefined;
}

const KEPT_MS = 1000;
const TIMEOUT_MS = 2000;

/** Makes the check; many askers at once ask the stores once. */
export function createHealth({ sql, elasticsearch }: HealthOptions): Health {
  let last: Promise<Readiness> | undefined;
  let askedAtMs = 0;

  async function ask(): Promise<Readiness> {
    const [postgresql, index] = await Promise.all([
      within(askPostgresql(sql)),
      elasticsearch === undefined ? undefined : within(askElasticsearch(elasticsearch)),
    ]);
    return {
      ready: postgresql.ok,
      checks: { postgresql, ...(index === undefined ? {} : { elasticsearch: index }) },
    };
  }

  return {
    async ready() {
      if (last === undefined || Date.now() - askedAtMs >= KEPT_MS) {
        askedAtMs = Date.now();
        last = ask();
      }
      return await last;
    },
  };
}

async function askPostgresql(sql: Sql): Promise<HealthCheck> {
  const pending = await pendingMigrations(sql);
  return pending.length === 0
    ? { ok: true, detail: 'reachable, tables are up to date' }
    : { ok: false, detail: `lacks ${pending.join(', ')}: run launchbeat-collector setup` };
}

async function askElasticsearch(
  check: () => Promise<{ readonly ok: boolean }>,
): Promise<HealthCheck> {
  const { ok } = await check();
  return { ok, detail: ok ? 'reachable' : 'cannot be used; chunks wait in PostgreSQL' };
}

async function within(check: Promise<HealthCheck>): Promise<HealthCheck> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<HealthCheck>((resolve) => {
    timer = setTimeout(() => resolve({ ok: false, detail: 'does not answer' }), TIMEOUT_MS);
  });
  const failed = (): HealthCheck => ({ ok: false, detail: 'cannot be used; see the log' });
  try {
    return await Promise.race([check.catch(failed), late]);
  } finally {
    clearTimeout(timer);
  }
}
