/**
 * Starts the load program and lets it go when it has made its chunks.
 */
import { fileURLToPath } from 'node:url';
import { startProgram } from '../../tests/support/processes.ts';
import type { LoadResult, LoadTask } from './load-agents.ts';

const SCRIPT = fileURLToPath(new URL('load-agents.ts', import.meta.url));
const TIMEOUT_MS = 900_000;

export interface Load {
  /** Sends everything; resolves with what came of it. Rejects when an answer is none that agents expect. */
  run(): Promise<LoadResult>;
}

/** Resolves when all chunks are made. */
export async function prepareLoad(task: LoadTask): Promise<Load> {
  const program = startProgram(process.execPath, [SCRIPT], {
    env: { LOAD_TASK: JSON.stringify(task) },
  });
  await program.waitForLine(/^ready/, { timeoutMs: TIMEOUT_MS });
  return {
    async run() {
      program.stdin.write('go\n');
      const line = await program.waitForLine(/^\{"seconds/, { timeoutMs: TIMEOUT_MS });
      return JSON.parse(line) as LoadResult;
    },
  };
}
