/**
 * Runs the real agent in a folder of its own, on whatever source and collector a row gives it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { type Program, startProgram } from '../../tests/support/processes.ts';
import { type Usage, usageOf } from '../process-usage.ts';

/** BENCH_AGENT names another one, such as the bundle of the Windows package. */
const AGENT =
  process.env['BENCH_AGENT'] || fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const MIB = 1024 * 1024;

export interface BenchAgentOptions {
  /** Its own folder; made anew. */
  readonly folder: string;
  readonly collectorUrl: string;
  /** `capture:` of its config. */
  readonly capture: Readonly<Record<string, unknown>>;
  /** Files are begun at this size; 1 GiB = one file. */
  readonly segmentMiB?: number;
  /** Called when the folder is there and the agent is not. */
  readonly prepare?: (spool: string) => void;
}

export interface BenchAgent {
  readonly program: Program;
  readonly spool: string;
  usage(): Usage;
  /** Asks it to end; throws with its log when it does not end well. */
  stop(): Promise<void>;
}

/** Nothing comes from it and it does not end: standard input that stays open. */
export const NO_SOURCE = { source: 'replay', files: ['-'] } as const;

/** Starts it. */
export function startBenchAgent(options: BenchAgentOptions): BenchAgent {
  const { folder } = options;
  const spool = join(folder, 'data', 'spool');
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(spool, { recursive: true });
  const config = {
    name: 'PC-OF-THE-BENCH',
    select: 'all',
    exclude: { system_accounts: false, helper_processes: false },
    capture: options.capture,
    spool: { segment_bytes: (options.segmentMiB ?? 16) * MIB, max_bytes: 8 * 1024 * MIB },
    output: {
      collector: {
        url: options.collectorUrl,
        api_key: 'key-1:secret-1',
        backoff: { init: '60s', max: '60s' },
      },
    },
    path: { data: join(folder, 'data'), logs: join(folder, 'logs') },
  };
  writeFileSync(join(folder, 'launchbeat.yml'), stringify(config));
  options.prepare?.(spool);
  const program = startProgram(process.execPath, [
    AGENT,
    'run',
    '-e',
    '-c',
    join(folder, 'launchbeat.yml'),
    '--path.config',
    folder,
  ]);
  return {
    program,
    spool,
    usage: () => usageOf(program.pid),
    async stop() {
      const end = await program.stop();
      if (end.code !== 0) throw new Error(`The agent ended with ${end.code}:\n${program.stderr()}`);
    },
  };
}
