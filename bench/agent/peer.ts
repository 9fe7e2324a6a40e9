/**
 * A peer of spool → sink: another program that ships the same file to the same sink, uncompressed, by Elasticsearch's `_bulk`. Which ones
 * are measured depends on what this machine has.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ProgramEnd, startProgram } from '../../tests/support/processes.ts';
import { usageOf } from '../process-usage.ts';
import { startSink } from '../start-sink.ts';
import { type Shipping, watchShipping } from './spool-to-sink.ts';

export interface PeerPlace {
  /** Empty but for the file, `launchbeat.20260302.1.ndjson`; for whatever the peer keeps. */
  readonly folder: string;
  /** `http://127.0.0.1:<port>` */
  readonly sinkUrl: string;
}

export interface Peer {
  readonly name: string;
  readonly version: string;
  readonly program: string;
  /** The file name and text of its config. */
  config(place: PeerPlace): { readonly name: string; readonly text: string };
  /** What it is started with; `config` is the path of the file. */
  args(config: string, place: PeerPlace): readonly string[];
}

/** The program that a variable of the environment names; undefined where none is named. Throws when what it names is not there. */
export function programOf(variable: string): string | undefined {
  const program = process.env[variable];
  if (program === undefined || program === '') return undefined;
  if (!existsSync(program)) throw new Error(`${variable} is ${program}, which is not there.`);
  return program;
}

/** What a program prints of its version. */
export function versionOf(program: string, args: readonly string[], pattern: RegExp): string {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? 'unknown';
}

/** Ships `file` with a peer, in a folder that is made anew on the same file system. */
export async function measurePeer(
  peer: Peer,
  folder: string,
  { file, events }: { readonly file: string; readonly events: number },
): Promise<Shipping> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  linkSync(file, join(folder, 'launchbeat.20260302.1.ndjson'));
  const sink = await startSink();
  const place = { folder, sinkUrl: sink.url };
  const config = peer.config(place);
  const path = join(folder, config.name);
  writeFileSync(path, config.text, { mode: 0o600 });
  const program = startProgram(peer.program, [...peer.args(path, place)]);
  let end: ProgramEnd | undefined;
  void program.exited.then((how) => {
    end = how;
  });
  try {
    return await watchShipping(
      sink,
      events,
      () => usageOf(program.pid),
      () => end !== undefined,
    );
  } catch (error) {
    if (end === undefined) throw error;
    const said = program.stderr().slice(-2000);
    throw new Error(`${peer.name} ended with ${end.code ?? end.signal}:\n${said}`, {
      cause: error,
    });
  } finally {
    await program.stop();
    await sink.stop();
  }
}
