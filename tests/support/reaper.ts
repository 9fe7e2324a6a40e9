/**
 * A program of its own: ends what a test process started once that process is gone, however it went (kill -9 included).
 * Takes lines of JSON on stdin: `{"add": Charge}` and `{"drop": Charge}`. When stdin ends it ends every process and group, removes every
 * container and then every folder still on its list, and exits.
 */
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

/** What must not outlive the process that started it. `signal` is the polite one; SIGKILL follows. */
export type Charge =
  /** As kill(2) takes it: a process, or a whole group when negative. */
  | { readonly target: number; readonly signal: NodeJS.Signals }
  | { readonly container: string }
  | { readonly folder: string };

const GRACE_MS = 5_000;
const POLL_MS = 20;

/** Whether the process (or, when negative, one of the group) got the signal; 0 = only ask. */
export function signalTarget(target: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, signal);
    return true;
  } catch {
    return false;
  }
}

async function end(target: number, signal: NodeJS.Signals): Promise<void> {
  const deadlineMs = performance.now() + GRACE_MS;
  signalTarget(target, signal);
  while (signalTarget(target, 0) && performance.now() < deadlineMs) await delay(POLL_MS);
  signalTarget(target, 'SIGKILL');
}

async function reap(): Promise<void> {
  const charges = new Map<string, Charge>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  for await (const line of createInterface({ input: process.stdin })) {
    const order = JSON.parse(line) as { add?: Charge; drop?: Charge };
    if (order.add) charges.set(JSON.stringify(order.add), order.add);
    if (order.drop) charges.delete(JSON.stringify(order.drop));
  }
  const left = [...charges.values()];
  await Promise.all(
    left.map((charge) => ('target' in charge ? end(charge.target, charge.signal) : undefined)),
  );
  for (const charge of left) {
    if ('container' in charge) spawnSync('docker', ['rm', '-f', '-v', charge.container]);
    if ('folder' in charge)
      rmSync(charge.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

if (import.meta.main) await reap();
