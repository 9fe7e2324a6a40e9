/**
 * `launchbeat-collector setup --dashboards`: imports the dashboards into Kibana and says what it did not take, object by object.
 */
import { readFileSync } from 'node:fs';
import { type Paths, resolveFile } from '@launchbeat/ecs-schemas/beat';
import { bundleText, importBundle } from '@launchbeat/kibana-saved-objects';
import type { KibanaConfig } from '../kibana-config.ts';

const REQUEST_TIMEOUT_MS = 60_000;
const RETRY_DELAY_MS = 1000;
const RETRY_DELAY_MAX_MS = 10_000;

/**
 * Imports; gives the sentence to print. Throws an Error with every object that was refused. Without `overwrite`, objects that are
 * there already are among them and stay as they are.
 */
export async function importDashboards(
  config: KibanaConfig,
  paths: Paths,
  overwrite: boolean,
): Promise<string> {
  const authorities = config.ssl.certificate_authorities.map((file) =>
    readFileSync(resolveFile(paths.config, file), 'utf8'),
  );
  const imported = await importBundle(bundleText(config.language), {
    kibana: {
      url: config.host,
      credentials: credentialsOf(config),
      timeoutMs: REQUEST_TIMEOUT_MS,
      ...(authorities.length === 0 ? {} : { certificateAuthorities: authorities }),
    },
    ...(config.space === undefined ? {} : { space: config.space }),
    overwrite,
    retry: { waitMs: config.wait, delayMs: RETRY_DELAY_MS, delayMaxMs: RETRY_DELAY_MAX_MS },
  });
  if (imported.outcome === 'done') {
    const done = `${imported.imported} objects are in Kibana ${imported.version} at ${config.host}.`;
    return imported.renamed === 0 ? done : `${done} ${renamedNote(imported.renamed)}`;
  }
  const faults = imported.faults.map(
    ({ type, id, title, reason }) =>
      `\n  ${type} ${id}${title === '' ? '' : ` "${title}"`}: ${reason}`,
  );
  throw new Error(`Kibana at ${config.host}: ${imported.reason}${faults.join('')}`);
}

/** Kibana keeps one object of an id, whatever the space (docs/dashboards.md, "Importing by the collector"). */
const renamedNote = (count: number): string =>
  `Another space of this Kibana has them too, so ${count} got new ids here: what leads to our ids, links in table cells and in messages, finds nothing in this space.`;

function credentialsOf(config: KibanaConfig) {
  const { api_key: key, username, password } = config;
  if (key !== undefined) {
    const encoded = key.includes(':') ? Buffer.from(key, 'utf8').toString('base64') : key;
    return { kind: 'api_key', encoded } as const;
  }
  if (username === undefined) return { kind: 'none' } as const;
  return { kind: 'basic', username, password: password ?? '' } as const;
}
