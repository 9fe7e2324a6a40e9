/**
 * Loaded into a program under test (`--import`), kills it with SIGKILL at a named step: before, after or in the middle of a call of
 * node:fs on a certain file, or where undici says how far a request has come. The program itself knows nothing of it.
 * Takes LAUNCHBEAT_TEST_KILL_POINT, a KillPoint as JSON; without it nothing is changed.
 */
import { subscribe } from 'node:diagnostics_channel';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

/** A step, and which time it is passed. */
export type KillPoint =
  | {
      readonly call:
        | 'openSync'
        | 'writeSync'
        | 'fsyncSync'
        | 'renameSync'
        | 'rmSync'
        | 'ftruncateSync';
      /** Regular expression of the path of the file; of a rename the old path, an arrow, and the new one. */
      readonly path: string;
      /** `half`: in the middle of a write. */
      readonly when: 'before' | 'half' | 'after';
      /** Only writes of bytes with this in them count. */
      readonly text?: string;
      /** Default 1. */
      readonly pass?: number;
    }
  | {
      readonly channel: 'create' | 'bodySent' | 'headers' | 'trailers';
      /** Path of the request, e.g. `/v1/chunks`. */
      readonly path: string;
      readonly pass?: number;
    };

type AnyFunction = (...args: unknown[]) => unknown;

const paths = new Map<unknown, string>();

function die(): never {
  process.kill(process.pid, 'SIGKILL');
  for (;;) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

/** The path that a call is about. Descriptors are known by what was opened last under their number. */
function pathOf(call: string, [first, second]: readonly unknown[]): string {
  if (call === 'renameSync') return `${String(first)} → ${String(second)}`;
  return typeof first === 'number' ? (paths.get(first) ?? '') : String(first);
}

function watchFiles(point: Extract<KillPoint, { call: string }>): void {
  const pattern = new RegExp(point.path);
  const patched = fs as unknown as Record<string, AnyFunction>;
  let left = point.pass ?? 1;
  const isDue = (call: string, args: readonly unknown[]): boolean => {
    if (call !== point.call || !pattern.test(pathOf(call, args))) return false;
    const text = point.text ?? '';
    if (text !== '' && !Buffer.from(args[1] as Uint8Array).includes(text)) return false;
    left -= 1;
    return left === 0;
  };
  for (const call of new Set(['openSync', point.call])) {
    const real = patched[call] as AnyFunction;
    patched[call] = (...args) => {
      const due = isDue(call, args);
      if (due && point.when === 'before') die();
      if (due && point.when === 'half') {
        const bytes = args[1] as Uint8Array;
        real(args[0], bytes.subarray(0, Math.ceil(bytes.length / 3)));
        die();
      }
      const result = real(...args);
      if (call === 'openSync') paths.set(result, String(args[0]));
      if (due) die();
      return result;
    };
  }
  syncBuiltinESMExports();
}

function watchRequests(point: Extract<KillPoint, { channel: string }>): void {
  let left = point.pass ?? 1;
  subscribe(`undici:request:${point.channel}`, (message) => {
    const { request } = message as { request: { path: string } };
    if (request.path === point.path && --left === 0) die();
  });
}

const given = process.env['LAUNCHBEAT_TEST_KILL_POINT'];
if (given !== undefined && given !== '') {
  const point = JSON.parse(given) as KillPoint;
  if ('call' in point) watchFiles(point);
  else watchRequests(point);
}
