/**
 * Takes the key of a keystore, gives what lies on disk in its place: bound to this PC by DPAPI where Windows and launchbeat.exe are
 * there, the key itself elsewhere.
 * Keeps: the key is in no argument and in no message; what was bound on another PC is refused in words.
 * What it is for: see agent/windows/package/host/protect.c.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface KeyGuard {
  /** What is to be stored for a key. */
  close(key: Buffer): Buffer;
  /** The key that was stored. Throws where it cannot be had on this PC. */
  open(stored: Buffer): Buffer;
}

/** Begins what was bound by DPAPI. */
const BOUND = Buffer.from('DPAPI1\n');
const ANSWER_WAIT_MS = 10_000;
const TRIES = 3;
const AGAIN_MS = 1000;

const isBound = (stored: Buffer): boolean => stored.subarray(0, BOUND.length).equals(BOUND);

const PLAIN: KeyGuard = {
  close: (key) => key,
  open(stored) {
    if (isBound(stored)) throw new Error('it is bound to the Windows PC that it was made on');
    return stored;
  },
};

/** The guard of this PC. */
export function keyGuard(): KeyGuard {
  const host = join(dirname(process.execPath), 'launchbeat.exe');
  return process.platform === 'win32' && existsSync(host) ? dpapiGuard(host) : PLAIN;
}

/** Has `host --protect` and `host --unprotect` bind keys; a key from before is taken as it is. */
export function dpapiGuard(host: string): KeyGuard {
  return {
    close: (key) => Buffer.concat([BOUND, ask(host, '--protect', key)]),
    open: (stored) =>
      isBound(stored) ? ask(host, '--unprotect', stored.subarray(BOUND.length)) : stored,
  };
}

function ask(host: string, verb: '--protect' | '--unprotect', bytes: Buffer): Buffer {
  let end = run(host, verb, bytes);
  // No word of its own: Windows is still starting, or a virus scanner holds it. The service must not end for that.
  for (let again = 1; end.status === null && again < TRIES; again += 1) {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, AGAIN_MS);
    end = run(host, verb, bytes);
  }
  const answer = Buffer.from(end.stdout ?? '', 'base64');
  if (end.status === 0 && answer.length > 0) return answer;
  const why = end.stderr?.trim() || end.error?.message || `it ended with ${end.status}`;
  throw new Error(`${host} ${verb}: ${why}`);
}

function run(host: string, verb: string, bytes: Buffer) {
  return spawnSync(host, [verb], {
    input: bytes.toString('base64'),
    encoding: 'utf8',
    timeout: ANSWER_WAIT_MS,
    windowsHide: true,
  });
}
