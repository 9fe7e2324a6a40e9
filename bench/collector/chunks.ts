/**
 * Takes agents, gives the chunks that each of them has to send: the same events for all, but with ids of their own.
 * The first agent's lines are made by the agent's own stages, the others' differ from them in two places only, which is quick.
 */
import { zstdCompressSync } from 'node:zlib';
import { createLineOf } from '../event-lines.ts';

export interface SimulatedAgent {
  readonly agentId: string;
  /** `id:secret`. */
  readonly apiKey: string;
}

export interface ChunkToSend {
  readonly agent: SimulatedAgent;
  readonly lines: number;
  readonly body: Buffer;
  readonly rawBytes: number;
  /** First and last byte in the file that it stands for. */
  readonly first: number;
  readonly last: number;
}

/** As the agent writes them, about 2.4 kB; or of about 1 kB, without all that an event can be read without. */
export type DocumentForm = 'whole' | 'few_fields';

/** About what an agent sends at once. */
const CHUNK_BYTES = 1024 * 1024;

interface Template {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly timePart: Buffer;
}

const ID = /"id":"([A-Za-z0-9_-]{22})"/;
const FIRST_AGENT = '00000000-0000-4000-8000-000000000000';

function templateOf(line: string): Template {
  const id = ID.exec(line);
  const agentAt = line.indexOf(FIRST_AGENT);
  if (id === null || agentAt === -1 || agentAt > id.index)
    throw new Error(`Line has no ids: ${line}`);
  const idAt = id.index + '"id":"'.length;
  return {
    before: line.slice(0, agentAt),
    between: line.slice(agentAt + FIRST_AGENT.length, idAt),
    after: line.slice(idAt + 22),
    timePart: Buffer.from(id[1] ?? '', 'base64url').subarray(0, 6),
  };
}

/** What `drop_fields` could leave: what a document must have, and what the rows of PostgreSQL are made of. */
function withFewFields(line: string): string {
  const { agent, event, process, winlog, launchbeat, ...document } = JSON.parse(
    line,
  ) as WholeDocument;
  const { channel, computer_name, provider_name, provider_guid, record_id, event_id } = winlog;
  const { ephemeral_id: _, ...self } = agent;
  const { sequence: _sequence, ...what } = event;
  const { pid, executable, name, command_line, parent } = process;
  const { launch, actor, program } = launchbeat;
  const few = {
    ...{ '@timestamp': document['@timestamp'], data_stream: document['data_stream'] },
    ...{ host: document['host'], agent: self, event: what },
    process: { pid, executable, name, command_line, parent: { name: parent?.['name'] } },
    winlog: { channel, computer_name, provider_name, provider_guid, record_id, event_id },
    launchbeat: { launch, actor, program },
  };
  return `${JSON.stringify(few)}\n`;
}

type Fields = Readonly<Record<string, unknown>>;
interface WholeDocument extends Fields {
  readonly agent: Fields;
  readonly event: Fields;
  readonly process: Fields & { readonly parent?: Fields };
  readonly winlog: Fields;
  readonly launchbeat: Fields;
}

/** The id that belongs to the event's time, with a part of the agent's and the number where the digest stands. */
function idOf(template: Template, agentId: string, n: number): string {
  const id = Buffer.alloc(16);
  template.timePart.copy(id);
  id.write(agentId.slice(0, 8), 6, 'hex');
  id.writeUInt32BE(n, 10);
  return id.toString('base64url');
}

/** Gives the line, with its LF, of the n-th event of an agent; `kinds` different events are repeated under new ids. */
export function createAgentLines(
  kinds: number,
  namespace: string,
  form: DocumentForm = 'whole',
): (agentId: string, n: number) => string {
  const lineOf = createLineOf({ namespace, agentId: FIRST_AGENT });
  const printed = form === 'whole' ? lineOf : (n: number) => withFewFields(lineOf(n));
  const templates = Array.from({ length: kinds }, (_, n) => templateOf(printed(n)));
  return (agentId, n) => {
    const template = templates[n % kinds];
    if (template === undefined) throw new RangeError('There is at least one kind of event.');
    return `${template.before}${agentId}${template.between}${idOf(template, agentId, n)}${template.after}`;
  };
}

/** Makes the chunks of all agents, in their order; agent after agent. */
export function makeChunks(
  agents: readonly SimulatedAgent[],
  eventsEach: number,
  namespace: string,
  form?: DocumentForm,
): ChunkToSend[] {
  const lineOf = createAgentLines(eventsEach, namespace, form);
  return agents.flatMap((agent) => {
    const chunks: ChunkToSend[] = [];
    let [text, lines, first] = ['', 0, 0];
    const flush = (): void => {
      const raw = Buffer.from(text);
      const last = first + raw.length - 1;
      chunks.push({ agent, lines, body: zstdCompressSync(raw), rawBytes: raw.length, first, last });
      [text, lines, first] = ['', 0, last + 1];
    };
    for (let n = 0; n < eventsEach; n += 1) {
      text += lineOf(agent.agentId, n);
      lines += 1;
      if (text.length >= CHUNK_BYTES) flush();
    }
    if (lines > 0) flush();
    return chunks;
  });
}
