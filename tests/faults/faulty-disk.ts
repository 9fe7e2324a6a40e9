/**
 * A disk that fails as disks do, put under a program with `node --import 'faulty-disk.ts?control=FILE' …`: it stands in for node:fs below
 * one folder. The control file says what goes wrong (FaultyDisk in disk-control.ts); it is looked at before each change.
 * Keeps: what would be on the platters. A file has what its last fsync found in it, a folder has the names that its last fsync
 * found. When the power goes, the folder is put back to that (of what was not forced, a part may survive), and the program ends.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import type { FaultyDisk } from './disk-control.ts';

/** One file, whatever it is called now. */
interface File {
  /** What the last fsync forced. */
  durable: Buffer;
  /** From here on nothing is ever durable: an fsync failed, and the system calls those pages clean. */
  lostFrom?: number;
  lostTo?: number;
}

const controlFile = new URL(import.meta.url).searchParams.get('control') ?? '';
const real = { ...fs };

function wanted(): FaultyDisk {
  try {
    return JSON.parse(real.readFileSync(controlFile, 'utf8')) as FaultyDisk;
  } catch {
    return { folder: '' };
  }
}

/** This file's own looks at the disk, which go through node:fs too, are no changes and never fail. */
let own = false;

const first = wanted();
const root = resolve(first.folder);
const isBelow = (path: string): boolean => path === root || path.startsWith(root + sep);
const pathOf = (path: fs.PathLike): string => resolve(String(path));

/** Open descriptors → where. */
const opened = new Map<number, string>();
/** By inode: files that exist. */
const files = new Map<number, File>();
/** What the folders are on the platters. */
const folders = new Map<string, Map<string, File>>();

const bytesOf = (path: string): Buffer => {
  const before = own;
  own = true;
  try {
    return real.readFileSync(path);
  } finally {
    own = before;
  }
};

const statOf = (path: string): fs.Stats | undefined =>
  real.statSync(path, { throwIfNoEntry: false }) as fs.Stats | undefined;

function fileAt(path: string): File | undefined {
  const stat = statOf(path);
  if (stat === undefined || !stat.isFile()) return undefined;
  let file = files.get(stat.ino);
  if (file === undefined) {
    file = { durable: bytesOf(path) };
    files.set(stat.ino, file);
  }
  return file;
}

function namesNow(folder: string): Map<string, File> {
  const names = new Map<string, File>();
  for (const name of real.readdirSync(folder)) {
    const file = fileAt(join(folder, name));
    if (file !== undefined) names.set(name, file);
  }
  return names;
}

/** A folder is known with what it has before its first change. */
function know(path: string): void {
  const folder = dirname(path);
  if (!folders.has(folder) && isBelow(folder) && statOf(folder)?.isDirectory() === true) {
    folders.set(folder, namesNow(folder));
  }
}

/** Everything below the folder is durable when the program starts. */
function knowAll(folder: string): void {
  if (statOf(folder)?.isDirectory() !== true) return;
  know(join(folder, 'x'));
  for (const name of real.readdirSync(folder)) knowAll(join(folder, name));
}
knowAll(root);

let changes = 0;
let spoolSyncs = 0;
let refused = 0;
let fullWrites = 0;
let held = 0;

function fail(code: string, syscall: string): never {
  throw Object.assign(new Error(`${code}: ${syscall}`), { code, syscall, errno: -1 });
}

/** Called before each change. */
function before(path: string, kind: 'write' | 'sync' | 'name'): void {
  if (own) return;
  const now = wanted();
  changes += 1;
  if (now.cutNow === true || changes === now.cutAtChange) loseThePower(now);
  if (kind === 'sync' && /\.ndjson$/.test(path)) {
    spoolSyncs += 1;
    if (spoolSyncs === now.cutBeforeSpoolSync) loseThePower(now);
  }
  if (now.full === true && kind === 'write') fail('ENOSPC', 'write');
  if (kind === 'name') holdBack(now, 'rename');
}

function holdBack(now: FaultyDisk, syscall: string): void {
  if (own || held >= (now.held ?? 0)) return;
  held += 1;
  fail(held % 2 === 0 ? 'EPERM' : 'EBUSY', syscall);
}

/** Puts the folder back to what the platters have, and ends. Nothing of this process runs any more. */
function loseThePower(now: FaultyDisk): never {
  own = true;
  let state = (now.seed ?? 1) >>> 0;
  const toss = (): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
  for (const [folder, durable] of folders) putBack(folder, durable, toss);
  for (;;) process.kill(process.pid, 'SIGKILL');
}

/** Puts one folder back. Names that were not forced are on the platters or not, as it happens; but never half. */
function putBack(folder: string, durable: Map<string, File>, toss: () => number): void {
  if (statOf(folder)?.isDirectory() !== true) return;
  const there = namesNow(folder);
  const contents = new Map<string, Buffer>();
  for (const [name, file] of toss() < 0.5 ? durable : there) {
    const isThere = there.get(name) === file;
    const cached = isThere ? bytesOf(join(folder, name)) : file.durable;
    contents.set(name, survivor(file, cached, toss));
  }
  for (const name of there.keys()) real.rmSync(join(folder, name), { force: true });
  for (const [name, bytes] of contents) {
    real.writeFileSync(join(folder, name), bytes, { mode: 0o600 });
  }
}

/** What is left of a file of which only `durable` was forced: that alone, a part more, or zeros to the new end. */
function survivor(file: File, cached: Buffer, toss: () => number): Buffer {
  const { durable } = file;
  if (cached.length <= durable.length) return durable;
  const tail = Buffer.from(cached.subarray(durable.length));
  const kept = tail.subarray(0, Math.floor(toss() * tail.length));
  const [zeros, part] = [toss() < 0.3, toss() < 0.6];
  if (zeros) return Buffer.concat([durable, Buffer.alloc(tail.length)]);
  return part ? Buffer.concat([durable, kept]) : durable;
}

/** The bytes of a file as an fsync leaves them on the platters. */
function forced(path: string, file: File): Buffer {
  const bytes = Buffer.from(bytesOf(path));
  const { lostFrom = bytes.length, lostTo = bytes.length } = file;
  bytes.fill(0, Math.min(lostFrom, bytes.length), Math.min(lostTo, bytes.length));
  return bytes;
}

function sync(descriptor: number): void {
  const path = opened.get(descriptor);
  if (path === undefined) {
    real.fsyncSync(descriptor);
    return;
  }
  if (statOf(path)?.isDirectory() === true) {
    before(path, 'sync');
    folders.set(path, namesNow(path));
    return;
  }
  before(path, 'sync');
  const file = fileAt(path);
  const now = wanted();
  if (file === undefined) return;
  if (/launchbeat\.\d+\.\d+\.ndjson$/.test(path) && refused < (now.syncErrors ?? 0)) {
    refused += 1;
    const size = statOf(path)?.size ?? 0;
    if (size > file.durable.length) {
      file.lostFrom = Math.min(file.lostFrom ?? size, file.durable.length);
      file.lostTo = size;
    }
    fail('EIO', 'fsync');
  }
  file.durable = forced(path, file);
}

function open(...args: Parameters<typeof fs.openSync>): number {
  const path = pathOf(args[0]);
  if (own || !isBelow(path)) return real.openSync(...args);
  know(path);
  if (statOf(path)?.isFile() === true) holdBack(wanted(), 'open');
  const isNew = args[1] !== 'r' && statOf(path) === undefined;
  if (isNew) before(path, 'write');
  const descriptor = real.openSync(...args);
  opened.set(descriptor, path);
  if (isNew) {
    const stat = real.fstatSync(descriptor);
    if (stat.isFile()) files.set(stat.ino, { durable: Buffer.alloc(0) });
  }
  return descriptor;
}

function write(descriptor: number, bytes: string | NodeJS.ArrayBufferView, ...rest: unknown[]) {
  const path = opened.get(descriptor);
  const put = real.writeSync as (...all: unknown[]) => number;
  if (path === undefined) return put(descriptor, bytes, ...rest);
  try {
    before(path, 'write');
  } catch (error) {
    // A full disk takes what still fits: half of the first write, then no more.
    const whole = typeof bytes === 'string' ? Buffer.from(bytes) : (bytes as Buffer);
    fullWrites += 1;
    if (fullWrites % 2 === 1 && whole.length > 1) {
      return put(descriptor, whole.subarray(0, Math.floor(whole.length / 2)));
    }
    throw error;
  }
  return put(descriptor, bytes, ...rest);
}

fs.openSync = open as typeof fs.openSync;
fs.closeSync = (descriptor) => {
  opened.delete(descriptor);
  real.closeSync(descriptor);
};
fs.writeSync = write as typeof fs.writeSync;
fs.fsyncSync = sync;
fs.ftruncateSync = (descriptor, length) => {
  const path = opened.get(descriptor);
  const file = path === undefined ? undefined : fileAt(path);
  if (path !== undefined) before(path, 'write');
  real.ftruncateSync(descriptor, length);
  // The pages that were lost are gone from the cache too: what is written there next is new.
  if (file?.lostFrom !== undefined && (length ?? 0) <= file.lostFrom) {
    delete file.lostFrom;
    delete file.lostTo;
  }
};
fs.fdatasyncSync = sync;
fs.fsync = ((descriptor: number, done: (error: Error | null) => void) => {
  try {
    sync(descriptor);
    setImmediate(done, null);
  } catch (error) {
    setImmediate(done, error as Error);
  }
}) as typeof fs.fsync;
fs.close = ((descriptor: number, done?: (error?: Error | null) => void) => {
  opened.delete(descriptor);
  real.close(descriptor, done);
}) as typeof fs.close;
fs.renameSync = (from, to) => {
  const [source, target] = [pathOf(from), pathOf(to)];
  if (isBelow(source)) {
    know(source);
    know(target);
    before(target, 'name');
  }
  real.renameSync(from, to);
};
fs.rmSync = (path, options) => {
  const target = pathOf(path);
  if (isBelow(target) && statOf(target) !== undefined) {
    know(target);
    fileAt(target);
    before(target, 'name');
  }
  real.rmSync(path, options);
};
syncBuiltinESMExports();
