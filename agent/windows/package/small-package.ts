/**
 * For tests: a package like the real one with a stand-in for node.exe (90 MB that Wine cannot run), and a Wine of its own to
 * install it in.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { eventually } from '../../../tests/support/eventually.ts';
import { buildHost } from './build-host.ts';
import { buildMsi } from './build-msi.ts';
import { bundlerInstalled } from './bundle-agent.ts';
import { BUILD_TIME, PACKAGE_FOLDER, ROOT } from './layout.ts';
import type { Defaults } from './msi-source.ts';

/** Long: a machine that does other work as well needs half a minute for what is done in one second. */
export const WINE_TIMEOUT_MS = 180_000;

const has = (tool: string): boolean => spawnSync(tool, ['--version']).error === undefined;

/** Why these tests cannot run here; false = they can. */
export function toolsMissing(...more: string[]): string | false {
  if (!bundlerInstalled()) return 'run make windows once';
  const missing = ['x86_64-w64-mingw32-gcc', 'wixl', 'msiinfo', ...more].filter((one) => !has(one));
  return missing.length === 0 ? false : `not installed: ${missing.join(', ')}`;
}

export interface SmallPackage {
  readonly msi: string;
  readonly stage: string;
  readonly dll: string;
}

export interface SmallPackageOptions {
  readonly version?: string;
  readonly defaults?: Defaults;
  /** Wine keeps no owners of files: what it says of them is believed. */
  readonly forWine?: boolean;
}

/** Builds one in `folder`. */
export function smallPackage(folder: string, options: SmallPackageOptions = {}): SmallPackage {
  const { version = '0.1.0', defaults = {}, forWine = false } = options;
  const stage = join(folder, 'stage');
  const host = buildHost({ out: join(folder, 'host'), version, forWine });
  mkdirSync(join(stage, 'app'), { recursive: true });
  cpSync(host.exe, join(stage, 'launchbeat.exe'));
  const source = join(PACKAGE_FOLDER, 'host/stand-in.c');
  execFileSync('x86_64-w64-mingw32-gcc', [
    ...['-municode', '-O1', '-s', '-static', '-Wl,--no-insert-timestamp'],
    ...['-o', join(stage, 'node.exe'), source],
  ]);
  cpSync(join(ROOT, 'agent/launchbeat.yml'), join(stage, 'launchbeat.yml'));
  writeFileSync(join(stage, 'app/launchbeat.mjs'), `// ${version}\n`);
  const files = ['app/launchbeat.mjs', 'launchbeat.exe', 'launchbeat.yml', 'node.exe'];
  const msi = join(folder, 'launchbeat.msi');
  for (const file of files) utimesSync(join(stage, file), BUILD_TIME, BUILD_TIME);
  buildMsi({ file: msi, version, stage, files, host, defaults });
  return { msi, stage, dll: host.dll };
}

export interface WineEnd {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Wine {
  /** Runs a Windows program to its end; `input` goes to its standard input. */
  run(args: readonly string[], input?: string): Promise<WineEnd>;
  /** Where a path on drive C lies; forward slashes. */
  path(below: string): string;
  /** How Windows programs name a path of Linux. */
  name(path: string): string;
  /** Text of a file on drive C; undefined where there is none. */
  read(below: string): string | undefined;
  /** How many of its processes have this in their command line. */
  processes(words: string): number;
  /** State and exit codes of the service: `RUNNING 0 0`; `absent` where there is none. */
  service(): Promise<string>;
}

/** Makes a Windows 10 for one test file, in `folder`; it ends after the test. */
export async function startWine(t: Pick<TestContext, 'after'>, folder: string): Promise<Wine> {
  const env = {
    ...process.env,
    WINEPREFIX: join(folder, 'wine'),
    WINEDEBUG: '-all',
    WINEARCH: 'win64',
    // Neither a .NET nor an HTML engine is to be fetched, and no menu to be made.
    WINEDLLOVERRIDES: 'mscoree=;mshtml=;winemenubuilder.exe=',
    DISPLAY: '',
  };
  // Files, not pipes: Wine's own services inherit them, and a pipe would stay open as long as they live.
  const run = async (args: readonly string[], input = ''): Promise<WineEnd> => {
    const call = mkdtempSync(join(folder, 'call-'));
    const [out, err] = [openSync(join(call, 'out'), 'w'), openSync(join(call, 'err'), 'w')];
    const child = spawn('wine', args, {
      env,
      stdio: ['pipe', out, err],
      timeout: WINE_TIMEOUT_MS,
      killSignal: 'SIGKILL',
    });
    child.stdin?.on('error', () => {}).end(input);
    const [code] = (await once(child, 'exit')) as [number | null];
    closeSync(out);
    closeSync(err);
    const text = (name: string): string => readFileSync(join(call, name), 'utf8');
    return { code: code ?? -1, stdout: text('out'), stderr: text('err') };
  };
  t.after(() => {
    // This prefix's server alone.
    spawnSync('wineserver', ['-k'], { env });
  });
  await run(['wineboot', '-i']);
  // Until the new Windows has shut down: what is started while it still sets itself up hangs.
  spawnSync('wineserver', ['-w'], { env, timeout: WINE_TIMEOUT_MS });
  // Keeps Windows up between the calls: it would shut down after some idle seconds.
  const keeper = spawn('wine', ['cmd', '/c', 'set /p x='], {
    env,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  t.after(() => {
    keeper.kill('SIGKILL');
  });
  await run(['winecfg', '-v', 'win10']);
  // The list of services is locked while those that start by themselves do.
  await eventually(
    async () => {
      const { stdout } = await run(['net', 'start', 'RpcSs']);
      return /successfully|already running/.test(stdout);
    },
    { timeoutMs: WINE_TIMEOUT_MS },
  );
  const path = (below: string): string => join(folder, 'wine/drive_c', below);
  return {
    run,
    path,
    name: (linux) => `Z:${linux.replaceAll('/', '\\')}`,
    read: (below) => (existsSync(path(below)) ? readFileSync(path(below), 'utf8') : undefined),
    processes: (words) =>
      globSync('/proc/[0-9]*/cmdline').filter((file) => {
        try {
          const isOurs = readFileSync(join(file, '../environ'), 'utf8').includes(env.WINEPREFIX);
          return isOurs && readFileSync(file, 'utf8').includes(words);
        } catch {
          return false; // it has ended meanwhile
        }
      }).length,
    async service() {
      const { stdout } = await run(['sc', 'query', 'Launchbeat']);
      const value = (name: string): string =>
        new RegExp(`${name}\\s*: (?:\\d+ +(?=[A-Z]))?(\\w+)`).exec(stdout)?.[1] ?? '?';
      if (!stdout.includes('STATE')) return 'absent';
      return ['STATE', 'WIN32_EXIT_CODE', 'SERVICE_EXIT_CODE'].map(value).join(' ');
    },
  };
}
