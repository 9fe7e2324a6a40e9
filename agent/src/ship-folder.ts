/**
 * Takes a spool folder that was copied from another PC, ships it to the collector of this config.
 * Keeps: the copy is only read; how far it was shipped stands in a state folder of its own, so that it can be ended and begun
 * again, and shipped twice without doubling anything; it ends where only a person can go on.
 */
import { join } from 'node:path';
import type { Log } from '@launchbeat/ecs-schemas/beat';
import { z } from 'zod';
import { readCheckpoint, writeCheckpoint } from './spool/checkpoint.ts';
import { listSegments, type Segment } from './spool/list-segments.ts';
import { lineStartBefore } from './spool/read-range.ts';
import { lastLineOf } from './spool/recover-spool.ts';
import { readStateFile, writeStateFile } from './spool/state-file.ts';
import { createUploader } from './upload/create-uploader.ts';
import type { OutputConfig } from './upload/output-config.ts';
import type { UploadCounts } from './upload/upload-counts.ts';

export interface ShipOptions {
  /** The copied spool folder. */
  readonly folder: string;
  readonly stateFolder: string;
  readonly config: OutputConfig;
  readonly log: Log;
  /** Told before the first event is sent: whose events they are, and what the collector says of the key. */
  readonly say: (line: string) => void;
}

export type ShipOutcome =
  | {
      readonly outcome: 'done' | 'ended';
      readonly counts: UploadCounts;
      /** Bytes behind the last whole line, which the copy caught half-written. */
      readonly tornBytes: number;
    }
  | { readonly outcome: 'refused'; readonly reason: string };

const shipSchema = z.object({ agentId: z.string() });

/** Ships until every whole line has its receipt or is in quarantine, or until the signal. */
export async function shipFolder(options: ShipOptions, signal: AbortSignal): Promise<ShipOutcome> {
  const { folder, stateFolder, config, log, say } = options;
  const segments = listSegments(folder);
  const owner = ownerOf(folder, segments);
  if (owner.outcome === 'refused') return owner;
  const { agentId } = owner;
  say(`${folder}: ${segments.length} segments of agent ${agentId}`);

  const stop = new AbortController();
  let trouble: string | undefined;
  const uploader = createUploader({
    ...{ spoolFolder: folder, stateFolder, config, agentId, log, quarantineFolder: stateFolder },
    onTrouble(reason) {
      trouble = reason;
      stop.abort();
    },
  });
  try {
    const probe = await uploader.probe();
    for (const step of probe.steps) say(`  ${step.name}... ${step.detail}`);
    if (!probe.usable) return { outcome: 'refused', reason: keyAdvice(agentId) };
    const begun = begin(options, segments, agentId);
    if (begun !== undefined) return { outcome: 'refused', reason: begun };
    const end = AbortSignal.any([signal, stop.signal]);
    const running = uploader.run(end);
    await uploader.drained(end);
    stop.abort();
    await running;
    if (trouble !== undefined) return { outcome: 'refused', reason: trouble };
    return {
      outcome: signal.aborted ? 'ended' : 'done',
      counts: uploader.counts(),
      tornBytes: tornBytes(stateFolder, segments, log),
    };
  } finally {
    await uploader.close();
  }
}

const keyAdvice = (agentId: string): string =>
  `The collector takes events of agent ${agentId} only under that agent's own key, or under a new one that nobody has used yet (launchbeat-collector agents add). Give it with -E output.collector.api_key=id:secret.`;

type Owner =
  | { readonly outcome: 'done'; readonly agentId: string }
  | { readonly outcome: 'refused'; readonly reason: string };

/** The one agent whose events lie in the folder. All lines of a segment are of one agent. */
function ownerOf(folder: string, segments: readonly Segment[]): Owner {
  const agents = new Set<string>();
  for (const { path, size } of segments) {
    const id = lastLineOf(path, lineStartBefore(path, size))?.agentId ?? '';
    if (id !== '') agents.add(id);
  }
  const [agentId, other] = agents;
  if (agentId === undefined) {
    return { outcome: 'refused', reason: `${folder} holds no events (launchbeat.*.ndjson).` };
  }
  if (other === undefined) return { outcome: 'done', agentId };
  return {
    outcome: 'refused',
    reason: `${folder} holds events of ${agents.size} agents (${[...agents].join(', ')}), and a key is for one agent. Put the files of each agent into a folder of its own.`,
  };
}

/** Makes the state of a folder that is shipped for the first time; says why the state that is there is not to be used. */
function begin(
  { stateFolder, log }: ShipOptions,
  segments: readonly Segment[],
  agentId: string,
): string | undefined {
  const file = join(stateFolder, 'ship.json');
  const known = readStateFile(file, shipSchema, log);
  if (known !== undefined && known.agentId !== agentId) {
    return `${stateFolder} says how far the spool of agent ${known.agentId} was shipped, not that of ${agentId}. Give another folder with --state.`;
  }
  writeStateFile(file, { agentId });
  const [first] = segments;
  if (first === undefined || readCheckpoint(stateFolder, log) !== undefined) return undefined;
  // The agent itself may have sent any of these bytes: all go under keys that it does not use.
  writeCheckpoint(stateFolder, {
    segment: first.name,
    number: first.number,
    offset: 0,
    resend: { number: Number.MAX_SAFE_INTEGER, offset: 0 },
  });
  return undefined;
}

function tornBytes(stateFolder: string, segments: readonly Segment[], log: Log): number {
  const newest = segments.at(-1);
  const at = readCheckpoint(stateFolder, log);
  return newest === undefined || at?.segment !== newest.name ? 0 : newest.size - at.offset;
}
