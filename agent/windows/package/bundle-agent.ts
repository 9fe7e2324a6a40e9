/**
 * Makes one file of the agent and every library that it uses, with esbuild; names the packages that are in it.
 * The file needs Node.js and nothing else, besides a package.json with the version in the folder above it (src/config.ts).
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DIST, PACKAGE_FOLDER, ROOT } from './layout.ts';

const ESBUILD = join(PACKAGE_FOLDER, 'node_modules/.bin/esbuild');

/** A package with code in the bundle. */
export interface BundledPackage {
  readonly name: string;
  readonly version: string;
  /** Its folder, absolute. */
  readonly folder: string;
}

/**
 * CommonJS packages (pino and its kin) ask for `require` and `__dirname`, which a module does not have. The latter is only
 * used by pino to start worker threads, and the agent starts none: its log and its spool are written in sync mode.
 */
const BANNER = [
  "import { createRequire as launchbeatRequire } from 'node:module';",
  'const require = launchbeatRequire(import.meta.url);',
  'const __filename = import.meta.filename;',
  'const __dirname = import.meta.dirname;',
].join('\n');

/** Whether the bundler is installed; only `make windows` does that. */
export const bundlerInstalled = (): boolean => existsSync(ESBUILD);

/** Writes the bundle to `file`; gives the packages in it, by name. Throws on every warning: it would be an error on a PC. */
export function bundleAgent(file: string): BundledPackage[] {
  const metafile = join(DIST, 'bundle.json');
  mkdirSync(dirname(metafile), { recursive: true });
  mkdirSync(dirname(file), { recursive: true });
  execFileSync(
    ESBUILD,
    [
      'agent/src/main.ts',
      '--bundle',
      '--platform=node',
      '--format=esm',
      '--target=node24',
      '--legal-comments=none',
      // V8 holds a source with one letter beyond Latin-1 as two bytes a character, in every agent.
      '--charset=ascii',
      '--minify-whitespace',
      '--minify-syntax',
      '--alias:zod=./agent/windows/package/zod-parts.ts',
      '--alias:date-fns=./agent/windows/package/date-fns-parts.ts',
      '--log-level=warning',
      '--log-override:import-is-undefined=error',
      `--banner:js=${BANNER}`,
      `--outfile=${file}`,
      `--metafile=${metafile}`,
    ],
    { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const { inputs } = JSON.parse(readFileSync(metafile, 'utf8')) as { inputs: object };
  rmSync(metafile);
  const folders = new Set(
    Object.keys(inputs).flatMap((input) => {
      const match = /^(?<folder>.*\bnode_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
      return match?.groups?.['folder'] ?? [];
    }),
  );
  return [...folders].sort().map((folder) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
      name: string;
      version: string;
    };
    return { name: manifest.name, version: manifest.version, folder: join(ROOT, folder) };
  });
}
