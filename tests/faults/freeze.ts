/**
 * Makes a PostgreSQL stand still, and lets it go on: every one of its processes is stopped, as on a virtual machine that is paused. Linux.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PostgresServer } from '../support/postgres.ts';

/** Stops it; gives the function that lets it go on. */
export function freeze(server: PostgresServer): () => void {
  const [first = ''] = readFileSync(join(server.folder, 'data/postmaster.pid'), 'utf8').split('\n');
  const main = Number(first);
  // The main process first: it starts no other one then.
  process.kill(main, 'SIGSTOP');
  const all = [main, ...childrenOf(main)];
  for (const pid of all) send(pid, 'SIGSTOP');
  return () => {
    for (const pid of all.reverse()) send(pid, 'SIGCONT');
  };
}

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return text.trim() === '' ? [] : text.trim().split(' ').map(Number);
}

/** One that ended by itself meanwhile is no fault. */
function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
