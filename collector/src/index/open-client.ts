/**
 * Takes `elasticsearch:` of the config, gives the client that the stage shares.
 * Keeps: the client itself never repeats a request; whoever sends knows what to do with each outcome.
 */
import { readFileSync } from 'node:fs';
import { Client, type ClientOptions } from '@elastic/elasticsearch';
import type { ElasticsearchConfig } from './elasticsearch-config.ts';

/** Bulk answers name each item; 64 MiB is far above what our requests bring. */
const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/** Makes the client; opens no connection. Throws if a file of `ssl.certificate_authorities` cannot be read. */
export function openClient(config: ElasticsearchConfig): Client {
  const auth = authOf(config);
  return new Client({
    nodes: [...config.hosts],
    maxRetries: 0,
    requestTimeout: config.timeout,
    maxResponseSize: RESPONSE_BYTES_MAX,
    maxCompressedResponseSize: RESPONSE_BYTES_MAX,
    name: 'launchbeat-collector',
    enableMetaHeader: false,
    tls: {
      rejectUnauthorized: config.ssl.verification_mode === 'full',
      ...(config.ssl.certificate_authorities.length === 0
        ? {}
        : { ca: config.ssl.certificate_authorities.map(readAuthority) }),
    },
    ...(auth === undefined ? {} : { auth }),
  });
}

function authOf(config: ElasticsearchConfig): ClientOptions['auth'] | undefined {
  if (config.api_key !== undefined) {
    const colon = config.api_key.indexOf(':');
    return {
      apiKey:
        colon === -1
          ? config.api_key
          : { id: config.api_key.slice(0, colon), api_key: config.api_key.slice(colon + 1) },
    };
  }
  if (config.username === undefined) return undefined;
  return { username: config.username, password: config.password ?? '' };
}

function readAuthority(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'error';
    throw new Error(
      `Cannot read ${file} of elasticsearch.ssl.certificate_authorities (${code}). Give the path of a PEM file.`,
      { cause },
    );
  }
}
