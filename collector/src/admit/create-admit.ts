/**
 * Takes a request, gives a chunk that may be committed, or the problem to answer with.
 * Keeps: the key is checked before the body is read, sizes before anything is parsed, and the key alone says who the agent is.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Readable } from 'node:stream';
import { countLines, type Problem, problem, wholeLinesBytes } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { isAllowedHost } from '../fleet/allowed-host.ts';
import type { Key, KeyStore } from '../fleet/keys.ts';
import type { SecurityFact } from '../fleet/security-facts.ts';
import {
  type Admission,
  type AdmitOutcome,
  type AdmittedLine,
  type Refusal,
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
import { contentSize } from './zstd-frame.ts';

export interface AdmitOptions {
  /** Asked with each request. */
  readonly config: Readonly<AdmitConfig>;
  readonly keys: KeyStore;
  readonly authenticate: Authenticate;
  /** Data stream namespaces that are taken. */
  readonly namespaces: readonly string[];
  /** Told of a key that was used for what is not its own. */
  readonly noteSecurity?: (fact: SecurityFact) => void;
  readonly log: Log;
}

export interface Admit {
  admit(request: Request, sender: Sender): Promise<AdmitOutcome>;
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

const BUSY_RETRY_S = 2;
const OFTEN_RETRY_S = 5;

/** Makes the stage. */
export function createAdmit(options: AdmitOptions): Admit {
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
async function take(options: AdmitOptions, arrival: Arrival): Promise<Admission | Refusal> {
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
  const looked = await admitLines(raw, headers.lines, new Set(options.namespaces));
  const [first] = looked.admitted;
  if (first === undefined) {
    return refuse({
      ...problem('nothing-valid'),
      rejected: looked.rejected.map((one) => ({ ...one })),
    });
  }
  const { namespace } = first.document.data_stream;
  if (looked.admitted.some((one) => one.document.data_stream.namespace !== namespace)) {
    // The agent's setting changed in mid-file: halves lead to chunks of one namespace each.
    return refuse(problem('too-large', 'A chunk has one namespace only. Send halves.'));
  }
  const agentId = first.document.agent.id.toLowerCase();
  const other = looked.admitted.find((one) => one.document.agent.id.toLowerCase() !== agentId);
  const bound = other === undefined ? await bind(options, key, agentId) : 'other_agent';
  if (bound !== 'bound') {
    return bound === 'other_agent'
      ? otherAgent(options, key, other?.document.agent.id ?? agentId)
      : bound;
  }
  const foreign = await refuseForeign(options, key, agentId, looked.admitted);
  if (foreign !== undefined) return foreign;
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

/** The key's agent must be the lines' agent; a key that has none yet takes this one. */
async function bind(
  options: AdmitOptions,
  key: Key,
  agentId: string,
): Promise<'bound' | 'other_agent' | Refusal> {
  if (key.agentId !== undefined) return key.agentId === agentId ? 'bound' : 'other_agent';
  try {
    const bound = await options.keys.bind(key.id, agentId);
    if (bound === 'bound') {
      options.log.info({ 'launchbeat.key.id': key.id, 'agent.id': agentId }, 'Key was bound.');
    }
    return bound;
  } catch (err) {
    options.log.warn({ err }, 'Key could not be bound; the agent will try again.');
    return refuse(problem('unavailable', 'PostgreSQL cannot be asked. Try again.'));
  }
}

/** Refuses lines of a computer that the key is not for. Before that the table is asked: the PC may just have been renamed. */
async function refuseForeign(
  options: AdmitOptions,
  key: Key,
  agentId: string,
  lines: readonly AdmittedLine[],
): Promise<Refusal | undefined> {
  const find = (hosts: readonly string[] | undefined) =>
    lines.find((one) => !isAllowedHost(hosts, one.document.winlog.computer_name))?.document;
  if (find(key.hosts) === undefined) return undefined;
  try {
    const foreign = find(await options.keys.hostsNow(key.id));
    return foreign === undefined ? undefined : otherHost(options, key, agentId, foreign);
  } catch (err) {
    options.log.warn({ err }, 'Key could not be looked up; the agent will try again.');
    return refuse(problem('unavailable', 'PostgreSQL cannot be asked. Try again.'));
  }
}

function otherAgent({ log, noteSecurity }: AdmitOptions, key: Key, agentId: string): Refusal {
  log.warn(
    { 'launchbeat.key.id': key.id, 'agent.id': agentId },
    'Chunk of another agent came under this key and was refused.',
  );
  if (key.agentId !== undefined) {
    const reason = `Key ${key.id} was used for events of agent ${agentId}, which were refused`;
    noteSecurity?.({ agentId: key.agentId, kind: 'foreign_agent', reason });
  }
  return refuse(
    problem('other-agent', 'agent.id of the lines is not the one that the key is bound to.'),
  );
}

function otherHost(
  { log, noteSecurity }: AdmitOptions,
  key: Key,
  agentId: string,
  document: AdmittedLine['document'],
): Refusal {
  const computer = document.winlog.computer_name;
  log.warn(
    { 'launchbeat.key.id': key.id, 'agent.id': agentId, 'host.name': computer },
    'Chunk with events of another computer came under this key and was refused.',
  );
  const reason = `Key ${key.id} was used for events of computer ${computer.slice(0, 255)}, which were refused`;
  noteSecurity?.({ agentId, kind: 'foreign_host', reason });
  const detail =
    'winlog.computer_name is not a computer that the key is for. See launchbeat-collector agents hosts.';
  return refuse(problem('other-host', detail));
}

function refuse(what: Problem): Refusal {
  return {
    outcome: 'refused',
    problem: what,
    ...(what.status === 503 ? { retryAfterSeconds: BUSY_RETRY_S } : {}),
  };
}
