/**
 * Takes a request, gives a chunk that may be committed, or the problem to answer with.
 * Keeps: the key is checked before the body is read, sizes before anything is parsed, and the key alone says who the agent is.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import { countLines, type Problem, problem, wholeLinesBytes } from '@launchbeat/ecs-schemas';
import type { Key } from '../fleet/keys.ts';
import {
  type Admission,
  type AdmitOutcome,
  type Keep,
  type Refusal,
  refuse,
  SMALL_CHUNK,
} from './admission.ts';
import type { AdmitConfig } from './admit-config.ts';
import { admitLines } from './admit-lines.ts';
import type { Authenticate } from './authenticate.ts';
import { type ChunkHeaders, parseChunkHeaders } from './chunk-headers.ts';
import { decompress } from './decompress.ts';
import { createInFlight, type InFlight, type Share } from './in-flight.ts';
import { createRates, type Rates } from './rates.ts';
import { type BodySource, readBody } from './read-body.ts';
import { type ChunkSize, createTurns, type Turns } from './turns.ts';
import { type Rights, refuseStrangers } from './whose-lines.ts';
import { contentSize } from './zstd-frame.ts';

export interface AdmitOptions<Kept> extends Rights {
  /** Asked with each request. */
  readonly config: Readonly<AdmitConfig>;
  readonly authenticate: Authenticate;
  /** Data stream namespaces that are taken. */
  readonly namespaces: readonly string[];
  /** Asked once for each chunk, so that all its documents are looked at in the same way. */
  readonly startKeeping: () => Keep<Kept>;
}

export interface Admit<Kept> {
  admit(request: Request, sender: Sender): Promise<AdmitOutcome<Kept>>;
  /** What is being worked on, for the metrics. */
  readonly inFlight: Pick<InFlight, 'bytes' | 'requests'>;
  /** Chunks that have come in whole and wait for their turn. */
  waiting(): number;
}

export interface Sender {
  /** The client's, as the socket or a trusted proxy has it. */
  readonly address: string;
  /** The request's body as it comes from the socket. */
  readonly body?: Readable;
}

const OFTEN_RETRY_S = 5;

/** Makes the stage. */
export function createAdmit<Kept>(options: AdmitOptions<Kept>): Admit<Kept> {
  const { config } = options;
  const inFlight = createInFlight(() => config.in_flight_bytes_max);
  const turns = createTurns({
    ...{ places: config.chunks_at_once, perAgent: () => config.chunks_per_agent_max },
  });
  const rates = createRates(() => config.rate);
  return {
    inFlight,
    waiting: turns.waiting,
    async admit(request, { address, body }) {
      const who = await options.authenticate(request.headers, address);
      if (who.outcome === 'refused') return who;
      const headers = parseChunkHeaders(request.headers);
      if ('problem' in headers) return refuse(headers.problem);
      const waitSeconds = rates.waitSeconds(agentOf(who.key));
      if (waitSeconds > 0) return tooFast(waitSeconds);
      const hold = createHold(inFlight.share(), turns, who.key);
      try {
        const taken = await take(options, {
          source: body ?? request,
          headers,
          key: who.key,
          hold,
          rates,
        });
        if ('outcome' in taken) {
          hold.release();
          return taken;
        }
        return { outcome: 'done', admission: taken, release: hold.release };
      } catch (error) {
        hold.release();
        throw error;
      }
    },
  };
}

/** What a chunk holds while it is worked on. */
interface Hold {
  readonly share: Share;
  /** Waits for this agent's turn; gives the refusal where there is none. */
  turn(waitMs: number, size: ChunkSize): Promise<Refusal | undefined>;
  /** Gives everything back; later calls do nothing. */
  release(): void;
}

/** Limits go by the key: an agent has one, and has it before its first chunk too. */
const agentOf = (key: Key): string => key.id;

function tooFast(retryAfterSeconds: number): Refusal {
  const detail = 'More bytes a second than admit.rate of the collector allows. Send later.';
  return { outcome: 'refused', problem: problem('too-many-requests', detail), retryAfterSeconds };
}

function createHold(share: Share, turns: Turns, key: Key): Hold {
  const agent = agentOf(key);
  let turn: ChunkSize | undefined;
  let released = false;
  return {
    share,
    async turn(waitMs, size) {
      const outcome = await turns.enter(agent, waitMs, size);
      if (outcome === 'done') turn = size;
      if (outcome === 'late') return refuse(problem('unavailable', 'Too many chunks wait.'));
      if (outcome === 'done') return undefined;
      const detail = 'This agent has other chunks here. Send one after the other.';
      const often = problem('too-many-requests', detail);
      return { outcome: 'refused', problem: often, retryAfterSeconds: OFTEN_RETRY_S };
    },
    release() {
      if (released) return;
      released = true;
      share.release();
      if (turn !== undefined) turns.leave(agent, turn);
    },
  };
}

interface Arrival {
  readonly source: BodySource;
  readonly headers: ChunkHeaders;
  readonly key: Key;
  readonly hold: Hold;
  readonly rates: Rates;
}

/** Body → its turn → lines → whose they are. */
async function take<Kept>(
  options: AdmitOptions<Kept>,
  arrival: Arrival,
): Promise<Admission<Kept> | Refusal> {
  const { source, headers, key, hold } = arrival;
  const read = await readBody(source, hold.share, options.config.body_timeout);
  if (read.outcome === 'refused') return refuse(read.problem);
  const { body } = read;
  if (!timingSafeEqual(createHash('sha256').update(body).digest(), headers.digest)) {
    return refuse(problem('bad-digest', 'Body was changed on its way. Send it again.'));
  }
  const waited = await hold.turn(options.config.turn_timeout, sizeOf(body, headers));
  if (waited !== undefined) return waited;
  const opened = await decompress(body, headers.encoding, hold.share);
  if (opened.outcome === 'refused') return refuse(opened.problem);
  const { raw } = opened;
  arrival.rates.pay(agentOf(key), raw.length);
  const wrong = wrongLines(raw, headers.lines);
  if (wrong !== undefined) return refuse(wrong);
  const looked = await admitLines(
    raw,
    headers.lines,
    new Set(options.namespaces),
    options.startKeeping(),
  );
  const [agentId, otherId] = looked.agentIds;
  const [namespace, otherNamespace] = looked.namespaces;
  if (agentId === undefined || namespace === undefined) {
    return refuse({
      ...problem('nothing-valid'),
      rejected: looked.rejected.map((one) => ({ ...one })),
    });
  }
  if (otherNamespace !== undefined) {
    // The agent's setting changed in mid-file: halves lead to chunks of one namespace each.
    return refuse(problem('too-large', 'A chunk has one namespace only. Send halves.'));
  }
  const stranger = await refuseStrangers(options, key, {
    agentId,
    otherId,
    computers: looked.computers,
  });
  if (stranger !== undefined) return stranger;
  return {
    agentId,
    keyId: key.id,
    idempotencyKey: headers.idempotencyKey,
    digest: headers.digest,
    encoding: headers.encoding,
    body,
    lines: headers.lines,
    lineIds: looked.lineIds,
    namespace,
    admitted: looked.admitted,
    rejected: looked.rejected,
    raw,
    lastCreatedMs: looked.lastCreatedMs,
  };
}

/** Only a frame that says its size counts as small: what comes out ends there. */
function sizeOf(body: Buffer, { encoding, lines }: ChunkHeaders): ChunkSize {
  const size = encoding === 'zstd' ? contentSize(body) : undefined;
  const isSmall =
    size !== undefined && size <= SMALL_CHUNK.rawBytesMax && lines <= SMALL_CHUNK.linesMax;
  return isSmall ? 'small' : 'large';
}

function wrongLines(raw: Buffer, wanted: number): Problem | undefined {
  const found = countLines(raw);
  if (wholeLinesBytes(raw) !== raw.length) {
    return problem('bad-lines', `Last line does not end with LF after ${found} lines.`);
  }
  return found === wanted
    ? undefined
    : problem('bad-lines', `Body has ${found} lines, Launchbeat-Lines says ${wanted}.`);
}
