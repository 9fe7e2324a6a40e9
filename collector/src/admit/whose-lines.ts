/**
 * Takes a key and what a chunk's lines say of agent and computer, gives the refusal where these are not the key's.
 * Keeps: the key alone says who the agent is; a key that has no agent yet takes the first one, once.
 */
import { problem } from '@launchbeat/ecs-schemas';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { isAllowedHost } from '../fleet/allowed-host.ts';
import type { Key, KeyStore } from '../fleet/keys.ts';
import type { SecurityFact } from '../fleet/security-facts.ts';
import { type Refusal, refuse } from './admission.ts';

export interface Rights {
  readonly keys: KeyStore;
  /** Told of a key that was used for what is not its own. */
  readonly noteSecurity?: (fact: SecurityFact) => void;
  readonly log: Log;
}

/** What the lines say. */
export interface Said {
  /** Lower case. */
  readonly agentId: string;
  /** Another agent, where they name more than one. */
  readonly otherId: string | undefined;
  readonly computers: ReadonlySet<string>;
}

/** The refusal, or undefined: every line is the key's own. */
export async function refuseStrangers(
  rights: Rights,
  key: Key,
  { agentId, otherId, computers }: Said,
): Promise<Refusal | undefined> {
  if (otherId !== undefined) return otherAgent(rights, key, otherId);
  const bound = await bind(rights, key, agentId);
  if (bound === 'other_agent') return otherAgent(rights, key, agentId);
  return bound === 'bound' ? await refuseForeign(rights, key, agentId, computers) : bound;
}

/** The key's agent must be the lines' agent; a key that has none yet takes this one. */
async function bind(
  rights: Rights,
  key: Key,
  agentId: string,
): Promise<'bound' | 'other_agent' | Refusal> {
  if (key.agentId !== undefined) return key.agentId === agentId ? 'bound' : 'other_agent';
  try {
    const bound = await rights.keys.bind(key.id, agentId);
    if (bound === 'bound') {
      rights.log.info({ 'launchbeat.key.id': key.id, 'agent.id': agentId }, 'Key was bound.');
    }
    return bound;
  } catch (err) {
    rights.log.warn({ err }, 'Key could not be bound; the agent will try again.');
    return refuse(problem('unavailable', 'PostgreSQL cannot be asked. Try again.'));
  }
}

/** Refuses lines of a computer that the key is not for. Before that the table is asked: the PC may just have been renamed. */
async function refuseForeign(
  rights: Rights,
  key: Key,
  agentId: string,
  computers: ReadonlySet<string>,
): Promise<Refusal | undefined> {
  const find = (hosts: readonly string[] | undefined) =>
    [...computers].find((computer) => !isAllowedHost(hosts, computer));
  if (find(key.hosts) === undefined) return undefined;
  try {
    const foreign = find(await rights.keys.hostsNow(key.id));
    return foreign === undefined ? undefined : otherHost(rights, key, agentId, foreign);
  } catch (err) {
    rights.log.warn({ err }, 'Key could not be looked up; the agent will try again.');
    return refuse(problem('unavailable', 'PostgreSQL cannot be asked. Try again.'));
  }
}

function otherAgent({ log, noteSecurity }: Rights, key: Key, agentId: string): Refusal {
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
  { log, noteSecurity }: Rights,
  key: Key,
  agentId: string,
  computer: string,
): Refusal {
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
