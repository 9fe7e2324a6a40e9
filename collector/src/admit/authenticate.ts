/**
 * Takes the Authorization header and the address, gives the key.
 * Keeps: nothing is read from the body before; a wrong key is told nothing but that it is wrong.
 */
import { HEADER, problem } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import type { Key, KeyStore } from '../fleet/keys.ts';
import type { Refusal } from './admission.ts';
import type { AdmitConfig } from './admit-config.ts';
import { createFailedKeys, type FailedKeys } from './failed-keys.ts';

export type AuthenticateOutcome = { readonly outcome: 'done'; readonly key: Key } | Refusal;

/** Address is the peer's as the socket has it; a proxy's, behind a proxy. */
export type Authenticate = (headers: Headers, address: string) => Promise<AuthenticateOutcome>;

export interface AuthenticateOptions {
  /** Asked with each request. */
  readonly config: Pick<AdmitConfig, 'failed_keys_per_minute'>;
  readonly keys: KeyStore;
  /** Shared with who else looks at secrets; absent = a count of its own. */
  readonly failed?: FailedKeys;
  readonly log: Log;
}

/** `ApiKey base64(id:secret)`; no id or secret of ours is longer than this. */
const AUTHORIZATION = /^ApiKey +([A-Za-z0-9+/]{1,512}={0,2})$/i;
const STORE_RETRY_S = 5;
const FAILED_RETRY_S = 60;

/** Makes the check that stands before everything else. */
export function createAuthenticate(options: AuthenticateOptions): Authenticate {
  const { keys, log } = options;
  const limit = (): number => options.config.failed_keys_per_minute;
  const failed = options.failed ?? createFailedKeys(limit);

  function refuse(address: string, detail: string): Refusal {
    if (failed.count(address) === limit()) {
      log.warn({ 'source.ip': address }, 'Address sent too many wrong keys in this minute.');
    }
    return { outcome: 'refused', problem: problem('unauthorized', detail) };
  }

  return async (headers, address) => {
    const credentials = parseAuthorization(headers.get(HEADER.authorization));
    if (failed.over(address) && !(credentials !== undefined && keys.seenLately(credentials.id))) {
      return tooMany();
    }
    if (credentials === undefined) {
      return refuse(
        address,
        'Authorization is missing or not ApiKey base64(id:secret). Set output.collector.api_key.',
      );
    }
    let key: Key | undefined;
    try {
      key = await keys.authenticate(credentials.id, credentials.secret);
    } catch (err) {
      log.warn({ err }, 'Key could not be looked up; the agent will try again.');
      return {
        outcome: 'refused',
        problem: problem('unavailable', 'PostgreSQL cannot be asked. Try again.'),
        retryAfterSeconds: STORE_RETRY_S,
      };
    }
    if (key !== undefined) return { outcome: 'done', key };
    return refuse(
      address,
      'Key is unknown, wrong or revoked. Make a new one with launchbeat-collector agents add.',
    );
  };
}

/** The answer to an address that is over its limit. */
export function tooMany(): Refusal {
  return {
    outcome: 'refused',
    problem: problem('too-many-requests', 'Too many wrong keys from this address. Wait.'),
    retryAfterSeconds: FAILED_RETRY_S,
  };
}

/** `id` and `secret` of `ApiKey base64(id:secret)`; undefined if the header is none. */
export function parseAuthorization(
  header: string | null,
): { id: string; secret: string } | undefined {
  const encoded = AUTHORIZATION.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon < 1 ? undefined : { id: text.slice(0, colon), secret: text.slice(colon + 1) };
}
