/**
 * Puts what this process started on a leash: it ends when this process ends, however that happens. Keeps one reaper per process,
 * started at the first use.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Charge } from './reaper.ts';

let reaper: (ChildProcess & { stdin: Writable }) | undefined;

function startReaper(): ChildProcess & { stdin: Writable } {
  const program = fileURLToPath(new URL('./reaper.ts', import.meta.url));
  // Its own session: Ctrl-C must not reach it before it has done its work. Its output goes nowhere: node --test would wait for it.
  const child = spawn(process.execPath, [program], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  child.unref();
  child.stdin.on('error', () => {});
  (child.stdin as Writable & { unref?: () => void }).unref?.();
  return child;
}

/** Leashes `charge`; the function given back lets it go again (call it when the charge has ended by itself or was removed). */
export function leash(charge: Charge): () => void {
  reaper ??= startReaper();
  const { stdin } = reaper;
  stdin.write(`${JSON.stringify({ add: charge })}\n`);
  return () => {
    stdin.write(`${JSON.stringify({ drop: charge })}\n`);
  };
}
