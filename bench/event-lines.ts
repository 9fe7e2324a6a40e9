/**
 * Takes numbers of events, gives the lines that the agent's own stages make of them: mapped, printed, in its spool's form.
 * Used where a stage behind the spool is measured and events must be there before.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { documentPrinter } from '@launchbeat/ecs-schemas/beat';
import { AGENT_HOME } from '../agent/src/config.ts';
import { createMapper } from '../agent/src/map/create-mapper.ts';
import { type EventShape, eventXml } from './event-xml.ts';

/** Every start becomes a document, as with a full record of every start. */
export const KEEP_ALL = {
  select: 'all',
  exclude: { system_accounts: false, helper_processes: false },
} as const;

export interface LinesOptions {
  readonly namespace: string;
  readonly agentId: string;
  readonly shape?: EventShape;
}

/** A function that gives the line (with its LF) of an event's number. */
export function createLineOf(options: LinesOptions): (n: number) => string {
  const config = AGENT_HOME.schema.parse({
    ...KEEP_ALL,
    output: { collector: { url: 'http://127.0.0.1:9', api_key: 'a:b' } },
  });
  const mapper = createMapper({
    config,
    agent: {
      id: options.agentId,
      name: 'PC-OF-THE-BENCH',
      version: '0.1.0',
      ephemeralId: '0f2d7c55-3a0e-4bb0-9d52-6b8d3cf0a4de',
    },
    namespace: options.namespace,
  });
  let printed = '';
  const print = documentPrinter((line) => {
    printed = line;
  });
  return (n) => {
    const mapped = mapper.map({ xml: eventXml(n, options.shape), readAtMs: 1_772_431_200_000 });
    if (mapped.outcome !== 'done')
      throw new Error(`Event ${n} became no document: ${mapped.outcome}`);
    print(mapped.document);
    return printed;
  };
}

const LINES_PER_WRITE = 2_000;

/** Writes `count` lines to a new file: of the event `first`, and of each `step` later; gives its bytes. */
export function writeLines(
  file: string,
  count: number,
  options: LinesOptions,
  { first, step } = { first: 0, step: 1 },
): number {
  const lineOf = createLineOf(options);
  return writeEach(file, count, (n) => lineOf(first + n * step));
}

/** Writes `count` events as XML, one a line. */
export function writeXml(file: string, count: number): number {
  return writeEach(file, count, (n) => `${eventXml(n)}\n`);
}

function writeEach(file: string, count: number, lineOf: (n: number) => string): number {
  const descriptor = openSync(file, 'w');
  let bytes = 0;
  try {
    for (let from = 0; from < count; from += LINES_PER_WRITE) {
      const length = Math.min(LINES_PER_WRITE, count - from);
      bytes += writeSync(descriptor, Array.from({ length }, (_, at) => lineOf(from + at)).join(''));
    }
  } finally {
    closeSync(descriptor);
  }
  return bytes;
}
