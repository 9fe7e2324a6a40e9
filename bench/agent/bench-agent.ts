/**
 * Runs the real agent in a folder of its own, on whatever source and collector a row gives it.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { bundleAgent, bundlerInstalled } from '../../agent/windows/package/bundle-agent.ts';
import { DIST, NODE_FLAGS, VERSION } from '../../agent/windows/package/layout.ts';
import { type Program, startProgram } from '../../tests/support/processes.ts';
import { type Usage, usageOf } from '../process-usage.ts';

const SOURCE = fileURLToPath(new URL('../../agent/src/main.ts', import.meta.url));
const MIB = 1024 * 1024;

let bundle: string | undefined;

/**
 * The agent as a PC has it: one bundled file, where the bundler is installed (`make windows` does that); else the source, whose
 * loading alone takes 40 MiB more. BENCH_AGENT names another one.
 */
function agentOnAPc(): string {
  const named = process.env['BENCH_AGENT'];
  if (named !== undefined && named !== '') return named;
  if (bundle === undefined && bundlerInstalled()) {
    bundle = join(DIST, 'bench/app/launchbeat.mjs');
    bundleAgent(bundle);
    writeFileSync(join(DIST, 'bench/package.json'), JSON.stringify({ version: VERSION }));
  }
  return bundle ?? SOURCE;
}

export interface BenchAgentOptions {
  /** Its own folder; made anew. */
  readonly folder: string;
  readonly collectorUrl: string;
  /** `capture:` of its config. */
  readonly capture: Readonly<Record<string, unknown>>;
  /** Files are begun at this size; 1 GiB = one file. */
  readonly segmentMiB?: number;
  /** Start it as launchbeat.exe does on a PC, where memory and CPU are what matters. */
  readonly asOnAPc?: boolean;
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
    ...(options.asOnAPc === true ? [...NODE_FLAGS, agentOnAPc()] : [SOURCE]),
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
