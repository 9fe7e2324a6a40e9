/**
 * Program: imports our dashboards into a Kibana. Secrets come from files, never from the command line, where every process list
 * shows them. Ends with 0 when every object is in, 1 when Kibana did not take it, 2 when the arguments are wrong.
 */
import { readFileSync } from 'node:fs';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { BUNDLE_FILES, bundleText } from '../bundle.ts';
import { importBundle } from './import-bundle.ts';
import type { Credentials } from './kibana-request.ts';

const USAGE = `Usage: node kibana-saved-objects/src/import/main.ts --url URL [options]
  --url URL               base URL of Kibana with its base path, e.g. https://kibana.example.org:5601
  --language en|ru        language of titles and labels (en)
  --space ID              space to import into (the default one)
  --api-key-file FILE     file with an encoded API key (Base64 of id:key)
  --username NAME         user to sign in as, with
  --password-file FILE    file with the password
  --ca FILE               certificate authority of Kibana, PEM
  --keep                  leave objects that are there already as they are, and say so
  --wait SECONDS          how long to wait for a Kibana that is starting (120)
`;

const OPTIONS = {
  url: { type: 'string' },
  language: { type: 'string', default: 'en' },
  space: { type: 'string' },
  'api-key-file': { type: 'string' },
  username: { type: 'string' },
  'password-file': { type: 'string' },
  ca: { type: 'string' },
  keep: { type: 'boolean', default: false },
  wait: { type: 'string', default: '120' },
} as const;

const REQUEST_TIMEOUT_MS = 60_000;

type Values = ReturnType<typeof parseArgs<{ options: typeof OPTIONS }>>['values'];

const secretIn = (file: string): string => readFileSync(file, 'utf8').trim();

function credentialsOf(values: Values): Credentials {
  const keyFile = values['api-key-file'];
  if (keyFile !== undefined) return { kind: 'api_key', encoded: secretIn(keyFile) };
  const { username, 'password-file': passwordFile } = values;
  if (username === undefined) return { kind: 'none' };
  if (passwordFile === undefined) throw new Error('--username needs --password-file');
  return { kind: 'basic', username, password: secretIn(passwordFile) };
}

async function run(values: Values): Promise<number> {
  const { url, language, space, ca } = values;
  if (url === undefined) throw new Error('--url is missing');
  if (language !== 'en' && language !== 'ru') throw new Error('--language must be en or ru');
  const waitMs = Number(values.wait) * 1000;
  if (!(waitMs >= 0)) throw new Error('--wait must be a number of seconds');
  const imported = await importBundle(bundleText(language), {
    kibana: {
      url,
      credentials: credentialsOf(values),
      timeoutMs: REQUEST_TIMEOUT_MS,
      ...(ca === undefined ? {} : { certificateAuthorities: [readFileSync(ca, 'utf8')] }),
    },
    ...(space === undefined ? {} : { space }),
    overwrite: !values.keep,
    retry: { waitMs, delayMs: 1000, delayMaxMs: 10_000 },
  });
  if (imported.outcome === 'done') {
    process.stdout.write(
      `${BUNDLE_FILES[language]}: ${imported.imported} objects are in Kibana ${imported.version}\n`,
    );
    return 0;
  }
  process.stderr.write(`${imported.reason}\n`);
  for (const { type, id, title, reason } of imported.faults)
    process.stderr.write(`  ${type} ${id}${title === '' ? '' : ` "${title}"`}: ${reason}\n`);
  return 1;
}

try {
  process.exitCode = await run(parseArgs({ options: OPTIONS }).values);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  process.exitCode = 2;
}
