/**
 * Starts what the demo talks to: a PostgreSQL and an Elasticsearch of its own (or a given one) and a Telegram stand-in (or the real one).
 * Without any Elasticsearch it says in one line what to install and goes on without the index.
 */
import { dataStreamName } from '@launchbeat/ecs-schemas';
import { tryElasticsearch } from '../support/elasticsearch.ts';
import { startPostgres } from '../support/postgres.ts';
import { startTelegram, type TelegramStandIn } from '../support/telegram.ts';
import type { Screen } from './screen.ts';

const CHAT = 100200300;

export interface Stores {
  readonly postgresUrl: string;
  readonly elasticsearchUrl: string | undefined;
  readonly namespace: string;
  readonly telegram: {
    readonly apiRoot: string;
    readonly token: string;
    readonly chat: string;
    /** Absent: messages go to the real Telegram. */
    readonly standIn?: TelegramStandIn;
  };
}

export interface StartStoresOptions {
  readonly screen: Screen;
  /** Gets the steps that end what was started; they are run from the last to the first. */
  readonly endings: (() => unknown)[];
}

/** Starts the stores and says where each is. */
export async function startStores(options: StartStoresOptions): Promise<Stores> {
  const { screen, endings } = options;
  screen.status('Starting PostgreSQL ...');
  const postgres = await startPostgres();
  endings.push(() => postgres.stop());
  screen.line(`  PostgreSQL     ${postgres.url}`);

  const namespace = `demo_${Date.now().toString(36)}`;
  const elasticsearchUrl = await startIndex(options, namespace);
  const telegram = await startChat(options);
  screen.status('');
  return { postgresUrl: postgres.url, elasticsearchUrl, namespace, telegram };
}

async function startIndex(
  { screen, endings }: StartStoresOptions,
  namespace: string,
): Promise<string | undefined> {
  const given = process.env['ELASTICSEARCH_URL'];
  if (given !== undefined && given !== '') {
    const url = given.replace(/\/+$/, '');
    // A given cluster is left as it was found.
    endings.push(async () => {
      await fetch(`${url}/_data_stream/${dataStreamName(namespace)}`, { method: 'DELETE' });
    });
    screen.line(`  Elasticsearch  ${url} (ELASTICSEARCH_URL), namespace ${namespace}`);
    return url;
  }
  screen.status('Starting Elasticsearch ...');
  const started = await tryElasticsearch({ onProgress: (line) => screen.status(line) });
  if (started.outcome === 'refused') {
    screen.line(`  Elasticsearch  none: ${started.reason}`);
    return undefined;
  }
  endings.push(() => started.server.stop());
  screen.line(
    `  Elasticsearch  ${started.server.url} (${started.server.version}), namespace ${namespace}`,
  );
  return started.server.url;
}

async function startChat({ screen, endings }: StartStoresOptions): Promise<Stores['telegram']> {
  const token = process.env['LAUNCHBEAT_TELEGRAM_TOKEN'];
  const chat = process.env['LAUNCHBEAT_TELEGRAM_CHAT'];
  if (token !== undefined && token !== '') {
    if (chat === undefined || chat === '') {
      throw new Error(
        'LAUNCHBEAT_TELEGRAM_TOKEN is set; set LAUNCHBEAT_TELEGRAM_CHAT (the id of a chat) too.',
      );
    }
    screen.line(`  Telegram       the real one, chat ${chat}`);
    return { apiRoot: 'https://api.telegram.org', token, chat };
  }
  const standIn = await startTelegram({ chats: [{ id: CHAT, type: 'private' }] });
  endings.push(() => standIn.stop());
  screen.line(
    `  Telegram       a stand-in at ${standIn.url} (LAUNCHBEAT_TELEGRAM_TOKEN and LAUNCHBEAT_TELEGRAM_CHAT send to a real chat)`,
  );
  return { apiRoot: standIn.url, token: standIn.token, chat: String(CHAT), standIn };
}
