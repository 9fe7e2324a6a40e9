/**
 * Takes files in the order given, writes them as a ZIP whose bytes depend on their names and contents alone.
 */
import { createWriteStream } from 'node:fs';
import { createRequire } from 'node:module';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { BUILD_TIME } from './layout.ts';

/** What is used of yazl, which is installed by `make windows` only. */
interface Yazl {
  readonly ZipFile: new () => {
    readonly outputStream: Readable;
    addBuffer(bytes: Buffer, name: string, options: object): void;
    end(): void;
  };
}

export interface ZipEntry {
  /** With forward slashes. */
  readonly name: string;
  readonly bytes: Buffer;
}

export async function writeZip(file: string, entries: readonly ZipEntry[]): Promise<void> {
  const { ZipFile } = createRequire(import.meta.url)('yazl') as Yazl;
  const zip = new ZipFile();
  // The DOS time alone: it knows no zone, and yazl would write the local one beside it.
  const mtime = new Date(BUILD_TIME.getTime() + BUILD_TIME.getTimezoneOffset() * 60_000);
  for (const { name, bytes } of entries)
    zip.addBuffer(bytes, name, { mtime, mode: 0o100644, forceDosTimestamp: true });
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(file));
}
