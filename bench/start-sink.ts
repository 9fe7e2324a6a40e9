/**
 * Starts sink.ts as a program of its own, gives its address and what has come to it.
 */
import { fileURLToPath } from 'node:url';
import { startProgram } from '../tests/support/processes.ts';

export interface SinkCounts {
  readonly events: number;
  readonly requests: number;
  readonly bytes: number;
}

export interface Sink {
  readonly url: string;
  counts(): Promise<SinkCounts>;
  stop(): Promise<void>;
}

const SCRIPT = fileURLToPath(new URL('sink.ts', import.meta.url));

/** Resolves when it listens. */
export async function startSink(): Promise<Sink> {
  const program = startProgram(process.execPath, [SCRIPT]);
  const url = await program.waitForLine(/^http:/);
  return {
    url,
    counts: async () => (await (await fetch(`${url}/counts`)).json()) as SinkCounts,
    stop: async () => void (await program.stop()),
  };
}
