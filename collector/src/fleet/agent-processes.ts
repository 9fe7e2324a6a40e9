/**
 * Takes the last starts of an agent and the one that checks in now, tells a clone from a restart and from a renamed PC. Pure.
 * Keeps: an agent that was started again never comes back as the start before; two that live at once take turns. So a start that
 * still speaks long after a newer one began means two computers (or two copies of one data folder) under one id. Where both say which
 * machine they are, another machine is told at once, and an old start that speaks again is a clone without waiting.
 */
import { z } from 'zod';

export const agentProcessSchema = z.object({
  /** `ephemeral_id` of the start. */
  id: z.string(),
  host: z.string(),
  /** Of the check-in; empty where the agent does not say. */
  machine: z.string().default(''),
  /** First and last check-in, Unix milliseconds by the collector's clock. */
  firstMs: z.number(),
  lastMs: z.number(),
});
/** One start of an agent. */
export type AgentProcess = z.infer<typeof agentProcessSchema>;

export interface ProcessFinding {
  readonly kind: 'cloned' | 'moved' | 'renamed';
  readonly reason: string;
}

export interface JudgedProcesses {
  /** To be kept, newest start last. */
  readonly processes: readonly AgentProcess[];
  readonly finding?: ProcessFinding;
}

const PROCESSES_MAX = 8;
/** A request of the start before may be on its way for so long: longer than an agent waits for an answer. */
const OVERLAP_MS = 120_000;

/** Judges a check-in of the start `id` on `host`. */
export function judgeProcesses(
  before: readonly AgentProcess[],
  now: Pick<AgentProcess, 'id' | 'host' | 'machine'> & { readonly nowMs: number },
): JudgedProcesses {
  const { id, host, machine, nowMs } = now;
  const known = before.find((one) => one.id === id);
  const others = before.filter((one) => one.id !== id);
  if (known === undefined) {
    const processes = [...before, { id, host, machine, firstMs: nowMs, lastMs: nowMs }].slice(
      -PROCESSES_MAX,
    );
    const last = before.at(-1);
    return last === undefined ? { processes } : withFinding(processes, judgeStart(last, now));
  }
  const processes = before.map((one) =>
    one.id === id ? { ...one, host, machine, lastMs: nowMs } : one,
  );
  const newer = others.find(
    (one) =>
      one.firstMs > known.firstMs &&
      (nowMs - one.firstMs > OVERLAP_MS || areTwo(one.machine, machine)),
  );
  if (newer === undefined) return { processes };
  const places = sameHost(newer.host, host)
    ? `Two agents run on ${host}`
    : `Agents on ${host} and ${newer.host} run`;
  return {
    processes,
    finding: {
      kind: 'cloned',
      reason: `${places} under one id: a data folder was copied. Delete agent.json of one of them and enrol it anew`,
    },
  };
}

function withFinding(
  processes: readonly AgentProcess[],
  finding: ProcessFinding | undefined,
): JudgedProcesses {
  return finding === undefined ? { processes } : { processes, finding };
}

/** A new start, against the one before it. */
function judgeStart(
  last: AgentProcess,
  { host, machine }: Pick<AgentProcess, 'host' | 'machine'>,
): ProcessFinding | undefined {
  if (areTwo(last.machine, machine)) {
    const reason = `Data folder was on ${last.host} and is on another computer, ${host}: was it copied? Then delete agent.json there and enrol that one anew`;
    return { kind: 'moved', reason };
  }
  if (sameHost(last.host, host)) return undefined;
  return { kind: 'renamed', reason: `Computer was ${last.host} and is ${host} now` };
}

/** Two installations of an operating system, for certain. */
function areTwo(one: string, other: string): boolean {
  return one !== '' && other !== '' && one !== other;
}

function sameHost(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
