/**
 * Takes an NDJSON text and where Kibana is, imports it through the saved objects API, as "Stack Management > Saved Objects > Import".
 * Keeps: the version is asked first and too old or too new a Kibana is left alone, then the space; while Kibana starts it is asked
 * again for a while; what it did not take is told object by object.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf, type ObjectFault, readImportAnswer } from './import-answer.ts';
import {
  type KibanaAddress,
  type KibanaAnswer,
  type KibanaRequest,
  kibanaRequest,
} from './kibana-request.ts';
import { multipartFile } from './multipart.ts';

export interface ImportOptions {
  readonly kibana: KibanaAddress;
  /** Space to import into; absent = the default one. */
  readonly space?: string;
  /** Replace objects of ours that are there already. */
  readonly overwrite: boolean;
  readonly retry: {
    /** How long to go on asking a Kibana that does not answer or is starting. */
    readonly waitMs: number;
    /** Pause after the first try; each next one is twice as long. */
    readonly delayMs: number;
    readonly delayMaxMs: number;
  };
}

export type ImportOutcome =
  | {
      readonly outcome: 'done';
      readonly imported: number;
      /** Objects that got another id, since a further space of this Kibana holds ours already. */
      readonly renamed: number;
      readonly version: string;
    }
  | {
      readonly outcome: 'refused';
      readonly reason: string;
      /** Objects that Kibana did not take; empty when it refused the whole. */
      readonly faults: readonly ObjectFault[];
    };

type Refused = Extract<ImportOutcome, { outcome: 'refused' }>;
type Step<T> =
  | { readonly outcome: 'done'; readonly value: T }
  | Refused
  | { readonly outcome: 'retry'; readonly reason: string };

/** Oldest minor that reads the form of our objects, and the first major that need not. */
const OLDEST = [8, 11] as const;
const MAJOR_MAX = 9;
const SPACE = /^[a-z0-9_-]+$/;

const refused = (reason: string, faults: readonly ObjectFault[] = []): Refused => ({
  outcome: 'refused',
  reason,
  faults,
});

/** Answers of a Kibana or a proxy that may be fine in a moment. */
const PASSING = new Set([429, 502, 503, 504]);

/** What the status alone says; undefined when the body decides. */
function refusalOf(answer: Answered, where: string): Refused | undefined {
  const { status, json } = answer;
  const message = messageOf(json);
  const detail = message === '' ? '' : ` Kibana says: ${message}`;
  if (status === 200) return undefined;
  if (status === 401)
    return refused(
      `Kibana does not know the credentials (401). Check API key, or user and password.${detail}`,
    );
  if (status === 403)
    return refused(
      `The credentials lack rights (403). They need "Saved Objects Management: All" in the space, or the role kibana_admin.${detail}`,
    );
  if (status === 404)
    return refused(
      `${where} is not there (404). Check the URL with its base path, and the name of the space.`,
    );
  if (status === 413)
    return refused(
      'The file is too large for this Kibana (413). Raise savedObjects.maxImportPayloadBytes, or the limit of the proxy before it.',
    );
  return refused(`Kibana answered ${status} to ${where}.${detail}`);
}

const textAt = (value: unknown, ...keys: readonly string[]): string => {
  const found = keys.reduce<unknown>(
    (level, key) => (level as Readonly<Record<string, unknown>> | undefined | null)?.[key],
    value,
  );
  return typeof found === 'string' ? found : '';
};

function judgeVersion(version: string): Refused | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  if (major < oldestMajor || (major === oldestMajor && minor < oldestMinor))
    return refused(
      `Kibana ${version} is too old: these dashboards need ${OLDEST.join('.')} or newer.`,
    );
  if (major > MAJOR_MAX)
    return refused(
      `Kibana ${version} is newer than these dashboards: they are for ${OLDEST.join('.')} to ${MAJOR_MAX}.x.`,
    );
  return undefined;
}

type Answered = Extract<KibanaAnswer, { outcome: 'done' }>;

/** Asks a Kibana; what passes by itself is to be asked again. */
async function ask(kibana: KibanaAddress, request: KibanaRequest): Promise<Step<Answered>> {
  const answer = await kibanaRequest(kibana, request);
  if (answer.outcome === 'unreachable')
    return {
      outcome: 'retry',
      reason: `Kibana at ${kibana.url} does not answer: ${answer.reason}`,
    };
  if (PASSING.has(answer.status))
    return { outcome: 'retry', reason: `Kibana is not ready (${answer.status})` };
  return { outcome: 'done', value: answer };
}

/** Asks for the version of a Kibana that is ready. */
async function askVersion(kibana: KibanaAddress): Promise<Step<string>> {
  const asked = await ask(kibana, { method: 'GET', path: '/api/status' });
  if (asked.outcome !== 'done') return asked;
  const answer = asked.value;
  const refusal = refusalOf(answer, `${kibana.url}/api/status`);
  if (refusal !== undefined) return refusal;
  const level = textAt(answer.json, 'status', 'overall', 'level');
  if (level === '')
    return refused(`${kibana.url} is no Kibana: /api/status says nothing of a status.`);
  if (level !== 'available' && level !== 'degraded')
    return { outcome: 'retry', reason: `Kibana is ${level}` };
  const version = textAt(answer.json, 'version', 'number');
  // Kibana tells its status to everybody, and its version to those it knows.
  if (version === '')
    return refused(
      kibana.credentials.kind === 'none'
        ? 'Kibana wants credentials. Give an API key, or user and password.'
        : 'Kibana does not know the credentials. Check API key, or user and password.',
    );
  return judgeVersion(version) ?? { outcome: 'done', value: version };
}

/** Into a space that is not there Kibana imports without a word (elastic/kibana#67164), and nobody ever sees it. */
async function askSpace(kibana: KibanaAddress, space: string): Promise<Step<string>> {
  const path = `/api/spaces/space/${space}`;
  const asked = await ask(kibana, { method: 'GET', path });
  if (asked.outcome !== 'done') return asked;
  const answer = asked.value;
  if (answer.status === 404)
    return refused(
      `There is no space "${space}" in this Kibana (404). Make it, or mend kibana.space: the id, as in its address, not the name.`,
    );
  return refusalOf(answer, `${kibana.url}${path}`) ?? { outcome: 'done', value: space };
}

type Imported = Omit<Extract<ImportOutcome, { outcome: 'done' }>, 'version'>;

async function send(text: string, options: ImportOptions): Promise<Step<Imported>> {
  const { kibana, space } = options;
  const prefix = space === undefined ? '' : `/s/${space}`;
  const path = `${prefix}/api/saved_objects/_import?overwrite=${options.overwrite}`;
  const body = multipartFile('launchbeat.ndjson', text);
  const asked = await ask(kibana, { method: 'POST', path, body });
  if (asked.outcome !== 'done') return asked;
  const answer = asked.value;
  const refusal = refusalOf(answer, `${kibana.url}${prefix}`);
  if (refusal !== undefined) return refusal;
  const sent = text
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.includes('"exportedCount"'));
  const read = readImportAnswer(answer.json, sent.length);
  return read.outcome === 'done' ? { outcome: 'done', value: read } : read;
}

/** Tries until a step is settled or the time is over. Importing twice does no harm: the same ids, the same contents. */
async function settle<T>(
  step: () => Promise<Step<T>>,
  options: ImportOptions,
  deadlineMs: number,
): Promise<Exclude<Step<T>, { outcome: 'retry' }>> {
  let delayMs = options.retry.delayMs;
  for (;;) {
    const result = await step();
    if (result.outcome !== 'retry') return result;
    if (performance.now() + delayMs > deadlineMs)
      return refused(
        `${result.reason}. Waited ${options.retry.waitMs / 1000} s; try again when Kibana is up.`,
      );
    await sleep(
      delayMs,
      undefined,
      options.kibana.signal === undefined ? {} : { signal: options.kibana.signal },
    );
    delayMs = Math.min(delayMs * 2, options.retry.delayMaxMs);
  }
}

/** Imports a bundle. Throws only when the signal of `options.kibana` says so. */
export async function importBundle(text: string, options: ImportOptions): Promise<ImportOutcome> {
  if (options.space !== undefined && !SPACE.test(options.space))
    return refused(
      `"${options.space}" is no id of a space: lower-case letters, digits, "_" and "-".`,
    );
  const deadlineMs = performance.now() + options.retry.waitMs;
  const version = await settle(() => askVersion(options.kibana), options, deadlineMs);
  if (version.outcome === 'refused') return version;
  const { space } = options;
  if (space !== undefined) {
    const found = await settle(() => askSpace(options.kibana, space), options, deadlineMs);
    if (found.outcome === 'refused') return found;
  }
  const imported = await settle(() => send(text, options), options, deadlineMs);
  if (imported.outcome === 'refused') return imported;
  return { ...imported.value, version: version.value };
}
