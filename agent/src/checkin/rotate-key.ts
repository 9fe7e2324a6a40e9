/**
 * Takes the collector's wish that this agent has another key, gets one, keeps it, uses it; no restart.
 * Keeps: the new key and the one before are in the keystore together, on disk, before the new one is sent for the first time; the
 * one before goes only when the collector has taken the new one. The collector holds both for good until then. So whenever this
 * stops, the next start has a key that works, and finishes what was begun.
 */
import {
  type HealthNote,
  problem,
  problemSchema,
  ROTATE_KEY_PATH,
  rotateAnswerSchema,
} from '@launchbeat/ecs-schemas';
import type { Keystore, Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import type { AgentKey } from '../upload/agent-key.ts';
import type { Answer, HttpExchange } from '../upload/http-exchange.ts';

export interface KeyRotationOptions {
  readonly agentId: string;
  readonly key: AgentKey;
  readonly keystore: Keystore;
  /** Where the key may come from beside the keystore, which goes before it. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The key that the next start would have: the config as it is now. Throws where the config is broken. */
  readonly configured: () => string;
  readonly http: HttpExchange;
  readonly note: (note: HealthNote) => void;
  readonly log: Log;
}

export interface KeyRotation {
  /** Finishes what was begun before; to be called before each check-in. Never rejects. */
  settle(signal: AbortSignal): Promise<void>;
  /** The collector asked for it. Never rejects; what fails is tried again when it asks again. */
  rotate(signal: AbortSignal): Promise<void>;
}

/** Behind the name of the key that it was replaced for. */
export const BEFORE = '_BEFORE_ROTATION';

const ELSEWHERE =
  'the key does not come from the keystore or the environment; put it into the keystore (launchbeat keystore add) and name it in output.collector.api_key';
const whoSchema = z.looseObject({ agent_id: z.string().nullable() });

/** Makes it. The keystore is not read before settle() or rotate(). */
export function createKeyRotation(options: KeyRotationOptions): KeyRotation {
  const { agentId, key, keystore, environment, http, log } = options;
  /** Whether the keystore may hold a rotation that is not finished. */
  let unsettled = true;
  let told = '';

  const complain = (reason: string, err?: unknown): void => {
    if (told === reason) return;
    told = reason;
    log.error({ ...(err === undefined ? {} : { err }) }, `Key cannot be rotated: ${reason}.`);
    options.note({ kind: 'rotation_failed', level: 'warn', reason });
  };

  const alone = oneAtATime((err) => complain('the keystore cannot be read or written', err));

  /** Tries the new key; then one of both goes. */
  async function confirm(name: string, signal: AbortSignal): Promise<void> {
    const asked = keystore.read();
    const [fresh, before] = [asked.get(name), asked.get(name + BEFORE)];
    if (fresh === undefined || before === undefined) return;
    if (options.configured() !== fresh) {
      // The next start would not have it: it is given up before it was ever sent, so that the one before stays good.
      giveUp(name, fresh, before);
      complain(ELSEWHERE);
      return;
    }
    const verdict = verdictOf(
      await http.exchange({ method: 'GET', path: '/v1/whoami', apiKey: fresh }, signal),
      agentId,
    );
    if (verdict === 'unknown') return;
    // Read again: somebody may have written meanwhile, a new enrolment even.
    const entries = new Map(keystore.read());
    if (entries.get(name) !== fresh) return;
    if (verdict === 'right') {
      key.use(fresh);
      log.info({}, 'Key was rotated: the new one is in use.');
    } else {
      // Another one was given in its place, to whoever has this agent's key too.
      giveUp(name, fresh, before);
      log.warn({}, 'New key was refused; the one before stays in use.');
      told = '';
      return;
    }
    entries.delete(name + BEFORE);
    keystore.write(entries);
    [unsettled, told] = [false, ''];
  }

  function giveUp(name: string, fresh: string, before: string): void {
    const entries = new Map(keystore.read());
    if (entries.get(name) !== fresh) return;
    entries.set(name, before).delete(name + BEFORE);
    keystore.write(entries);
    key.use(before);
    unsettled = false;
  }

  /** Under which name the config finds the key in use, as far as values tell. */
  function nameOfKey(entries: ReadonlyMap<string, string>): string | undefined {
    const isKey = ([, value]: readonly [string, string | undefined]): boolean =>
      value === key.encoded();
    return ([...entries].find(isKey) ?? Object.entries(environment).find(isKey))?.[0];
  }

  return {
    async settle(signal) {
      if (!unsettled) return;
      await alone(async () => {
        const half = [...keystore.read().keys()].find((name) => name.endsWith(BEFORE));
        if (half === undefined) unsettled = false;
        else await confirm(half.slice(0, -BEFORE.length), signal);
      });
    },
    async rotate(signal) {
      if (unsettled) return;
      await alone(async () => {
        const name = nameOfKey(keystore.read());
        if (name === undefined) {
          complain(ELSEWHERE);
          return;
        }
        const answer = await http.exchange({ method: 'POST', path: ROTATE_KEY_PATH }, signal);
        const given = newKeyOf(answer, agentId);
        if (given === undefined) {
          log.debug({}, 'Collector gave no new key; it is asked again after the next check-in.');
          return;
        }
        keystore.write(new Map(keystore.read()).set(name + BEFORE, key.encoded()).set(name, given));
        unsettled = true;
        await confirm(name, signal);
      });
    },
  };
}

/** Runs what it is given, unless it runs already: two rotations at once (the last check-in of a run beside another one) would lose both keys. */
function oneAtATime(failed: (error: unknown) => void) {
  let busy = false;
  return async (work: () => Promise<void>): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      await work();
    } catch (error) {
      failed(error);
    } finally {
      busy = false;
    }
  };
}

function newKeyOf(answer: Answer, agentId: string): string | undefined {
  if (answer.outcome !== 'answered' || answer.status !== 200) return undefined;
  const given = rotateAnswerSchema.safeParse(answer.body).data;
  return given?.agent_id === agentId ? given.api_key : undefined;
}

/** Only the collector's own word on this very key counts; a proxy's page or an error says nothing. */
function verdictOf(answer: Answer, agentId: string): 'right' | 'wrong' | 'unknown' {
  if (answer.outcome !== 'answered') return 'unknown';
  if (answer.status === 401) {
    const { type } = problemSchema.safeParse(answer.body).data ?? {};
    return type === problem('unauthorized').type ? 'wrong' : 'unknown';
  }
  if (answer.status !== 200) return 'unknown';
  const who = whoSchema.safeParse(answer.body).data;
  if (who === undefined) return 'unknown';
  return who.agent_id === agentId ? 'right' : 'wrong';
}
