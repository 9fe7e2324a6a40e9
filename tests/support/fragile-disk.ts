/**
 * A disk whose power can be cut: what was written and not forced to disk is lost, torn or there, as chance has it. Works on one folder
 * of this process through node:fs itself, so the stages under test are the ones of the product.
 * Keeps: bytes survive for sure only behind an fsync of their file, names only behind one of their folder; names that did not have
 * one survive in the order in which they were made, as on a journaling file system. New folders survive.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join, sep } from 'node:path';

/** Which call cuts the power. */
export interface CutPoint {
  readonly call: 'openSync' | 'writeSync' | 'fsyncSync' | 'renameSync' | 'rmSync' | 'ftruncateSync';
  /** Fits the path of the file; of a rename the new one. */
  readonly path: RegExp;
  /** `half`: in the middle of a write. */
  readonly when: 'before' | 'half' | 'after';
  /** It is the so many-th such call, from 1. */
  readonly pass: number;
}

export interface FragileDisk {
  /** Begins anew with an empty folder. `onCut` is called when the power goes. */
  begin(root: string, onCut: () => void): void;
  /** The power goes at this point, or stays on. */
  arm(point: CutPoint | undefined): void;
  /** The power goes now: every further call throws. */
  cut(): void;
  isOff(): boolean;
  /** Power again: the folder is what a cut leaves of it. `choose(max)` gives 0 to max; 0 = the least survives. */
  restore(choose: (max: number) => number): void;
}

/** A file, whatever it is called now. */
interface Inode {
  /** What is certainly on disk. */
  durable: Buffer;
  /** What it held when its last name went. */
  last?: Buffer;
}

type Naming =
  | { readonly do: 'set'; readonly path: string; readonly inode: Inode }
  | { readonly do: 'move'; readonly from: string; readonly path: string; readonly inode: Inode }
  | { readonly do: 'remove'; readonly path: string };

type PatchedCall = (typeof PATCHED)[number];
type AnyFunction = (...args: never[]) => unknown;
const PATCHED = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'rmSync',
  'ftruncateSync',
] as const;

class PowerCut extends Error {
  readonly code = 'EIO';
  override readonly message = 'the power is off';
}

interface State {
  root: string;
  off: boolean;
  /** Files by the names they have now. */
  live: Map<string, Inode>;
  /** Files by the names that they certainly have after a cut. */
  durable: Map<string, Inode>;
  /** What was named since the last fsync of the folder. */
  pending: Map<string, Naming[]>;
  descriptors: Map<number, { readonly path: string; readonly inode?: Inode }>;
  point: CutPoint | undefined;
  passes: number;
  onCut: () => void;
}

const real = Object.fromEntries(PATCHED.map((name) => [name, fs[name]])) as unknown as Pick<
  typeof fs,
  (typeof PATCHED)[number]
>;

function note(state: State, naming: Naming): void {
  const folder = dirname(naming.path);
  state.pending.set(folder, [...(state.pending.get(folder) ?? []), naming]);
  apply(state.live, naming);
}

function apply(names: Map<string, Inode>, naming: Naming): void {
  if (naming.do === 'move') names.delete(naming.from);
  if (naming.do === 'remove') names.delete(naming.path);
  else names.set(naming.path, naming.inode);
}

/** Reads a file past the power and the point: readFileSync() opens by openSync(). */
function look(state: State, path: string): Buffer {
  const { root } = state;
  state.root = '';
  try {
    return fs.readFileSync(path);
  } finally {
    state.root = root;
  }
}

/** What a file holds is looked at before its name goes to another one. */
function keepLast(state: State, path: string): void {
  const inode = state.live.get(path);
  if (inode !== undefined) inode.last = look(state, path);
}

/** What each call does to the model once it has been done. */
const AFTER: Readonly<
  Record<
    (typeof PATCHED)[number],
    (state: State, args: readonly unknown[], result: unknown) => void
  >
> = {
  openSync(state, [path, flags], result) {
    const name = String(path);
    if (fs.statSync(name).isDirectory()) {
      state.descriptors.set(Number(result), { path: name });
      return;
    }
    const inode = state.live.get(name) ?? { durable: Buffer.alloc(0) };
    if (!state.live.has(name) && flags !== 'r') note(state, { do: 'set', path: name, inode });
    state.descriptors.set(Number(result), { path: name, inode });
  },
  writeSync: () => undefined,
  ftruncateSync: () => undefined,
  fsyncSync(state, [descriptor]) {
    const file = state.descriptors.get(Number(descriptor));
    if (file?.inode !== undefined) {
      file.inode.durable = look(state, `/proc/self/fd/${Number(descriptor)}`);
    } else if (file !== undefined) {
      for (const naming of state.pending.get(file.path) ?? []) apply(state.durable, naming);
      state.pending.delete(file.path);
    }
  },
  renameSync(state, [from, to]) {
    const inode = state.live.get(String(from));
    if (inode !== undefined)
      note(state, { do: 'move', from: String(from), path: String(to), inode });
  },
  rmSync(state, [path]) {
    if (state.live.has(String(path))) note(state, { do: 'remove', path: String(path) });
  },
};

function targetOf(state: State, call: string, [first, second]: readonly unknown[]): string {
  if (typeof first === 'number') return state.descriptors.get(first)?.path ?? '';
  return String(call === 'renameSync' ? second : first);
}

function isDue(state: State, call: string, target: string): boolean {
  const { point } = state;
  if (point?.call !== call || !point.path.test(target)) return false;
  state.passes += 1;
  return state.passes === point.pass;
}

function cutNow(state: State): PowerCut {
  state.off = true;
  state.point = undefined;
  state.onCut();
  return new PowerCut();
}

/** Does a call that is about the folder. */
function onDisk(
  state: State,
  call: PatchedCall,
  args: readonly unknown[],
  target: string,
): unknown {
  if (state.off) throw new PowerCut();
  const original = real[call] as unknown as (...given: readonly unknown[]) => unknown;
  const when = isDue(state, call, target) ? state.point?.when : undefined;
  if (when === 'before') throw cutNow(state);
  if (when === 'half') {
    const bytes = args[1] as Uint8Array;
    original(args[0], bytes.subarray(0, Math.ceil(bytes.length / 3)));
    throw cutNow(state);
  }
  if (call === 'renameSync' || call === 'rmSync') keepLast(state, target);
  const result = original(...args);
  AFTER[call](state, args, result);
  if (when === 'after') throw cutNow(state);
  return result;
}

function patch(state: State): void {
  for (const call of PATCHED) {
    const original = real[call] as unknown as (...args: readonly unknown[]) => unknown;
    const patched = (...args: unknown[]): unknown => {
      const target = targetOf(state, call, args);
      const isMeant = state.root !== '' && `${target}${sep}`.startsWith(state.root + sep);
      return isMeant ? onDisk(state, call, args, target) : original(...args);
    };
    (fs as unknown as Record<string, AnyFunction>)[call] = patched as AnyFunction;
  }
  syncBuiltinESMExports();
}

/** What is left of a file: all that is durable, and of what was added some, torn or followed by zeros. */
function survivor(durable: Buffer, now: Buffer, choose: (max: number) => number): Buffer {
  if (durable.equals(now)) return durable;
  if (!now.subarray(0, durable.length).equals(durable)) return choose(1) === 0 ? durable : now;
  const left = Buffer.from(now.subarray(0, durable.length + choose(now.length - durable.length)));
  const zeros = choose(3) === 3 ? choose(64) : 0;
  return Buffer.concat([left, Buffer.alloc(zeros)]);
}

function restore(state: State, choose: (max: number) => number): void {
  const { root } = state;
  state.root = '';
  for (const [path, inode] of state.live) inode.last = fs.readFileSync(path);
  const names = new Map(state.durable);
  for (const namings of state.pending.values()) {
    for (const naming of namings.slice(0, choose(namings.length))) apply(names, naming);
  }
  for (const path of state.live.keys()) real.rmSync(path, { force: true });
  const after = new Map<string, Inode>();
  for (const [path, inode] of names) {
    const bytes = survivor(inode.durable, inode.last ?? inode.durable, choose);
    fs.writeFileSync(path, bytes, { mode: 0o600 });
    after.set(path, { durable: bytes });
  }
  state.live = after;
  state.durable = new Map(after);
  state.pending.clear();
  state.descriptors.clear();
  state.off = false;
  state.root = root;
}

/** Takes node:fs of this process over; calls outside of the folder go on as ever. Linux. */
export function fragileDisk(): FragileDisk {
  const state: State = {
    ...{ root: '', off: false, point: undefined, passes: 0, onCut: () => undefined },
    ...{ live: new Map(), durable: new Map(), pending: new Map(), descriptors: new Map() },
  };
  patch(state);
  return {
    begin(root, onCut) {
      Object.assign(state, { root: join(root), off: false, point: undefined, onCut });
      for (const map of [state.live, state.durable, state.pending, state.descriptors]) map.clear();
    },
    arm(point) {
      state.point = point;
      state.passes = 0;
    },
    cut() {
      if (!state.off) cutNow(state);
    },
    isOff: () => state.off,
    restore: (choose) => restore(state, choose),
  };
}
